#include "core/text/probe_texts.h"

namespace nibble::text {
namespace {

constexpr std::string_view kTexts[] = {
    "Hello world",
    " Hello  world ",
    "hello",
    "The quick brown fox jumps over the lazy dog.",
    "I'm sure they'll say it's what we've had, isn't it? He'd said you're right.",
    "I'M SURE THEY'LL SAY IT'S WHAT WE'VE HAD, ISN'T IT? HE'D SAID YOU'RE RIGHT.",
    "'sun 'tis 'reed 'vet 'more 'llama 'dog 's't",
    "camelCaseWord PascalCase SCREAMING_SNAKE snake_case HTTPServer iPhone McDonald's USAToday",
    "0 1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890",
    "3.14159 1,000,000 -42 +7 1e10 0x1F 50% $9.99 2026-01-02 12:34:56 192.168.0.1",
    "a1b22c333d4444e55555 v2.0 x86_64 4th B2B 100km",
    "\u00bd \u00b2\u00b3 \u2460\u2461 \u2167 \u0661\u0662\u0663\u0664 \u0967\u0968\u0969 "
    "\uff11\uff12\uff13",
    "one\ntwo\n\nthree\n\n\nfour\r\nfive\r\n\r\nsix",
    "tab\tseparated\t\tvalues   three spaces    four     five",
    "trailing spaces   ",
    "trailing newline\n",
    "   \n  \n \t\n",
    "\n\n\n",
    "    ",
    "a\u00a0b\u2003c\u3000d\u200be\u2028f\u0085g",
    "#include <stdio.h>\nint main(void) {\n    printf(\"%d\\n\", x[0]);\n\treturn 0;\n}\n",
    "def f(x):\n    if x != 0 and y >= 1:\n        return x ** 2 // 3  # note\n",
    "SELECT * FROM t WHERE a<>b AND c=='d';",
    "{\"key\": [1, 2.5, null, true], \"nested\": {\"a\": \"b\\\"c\"}}",
    "https://example.com/path?q=1&r=2#frag user@example.com /usr/local/bin C:\\temp",
    "!!! ??? ... --- *** === ((( ))) [[ ]] {{ }} <<>> ~~ `` ^^ || && $$ ++",
    "Wait... what?! (really) -- \"yes\" -- 'no'; a/b\\c: d|e.\n/ //\n///",
    ".,;:!?()[]{}<>+-*/=%$#@&^~`|\\_\"'",
    "word!word ?word (word) [word] {word} \"word\" 'word' -word _word /word\n",
    "\u00a1Hola! \u00bfQu\u00e9 tal? El ni\u00f1o comi\u00f3 pi\u00f1a y az\u00facar.",
    "Gr\u00fc\u00dfe aus M\u00fcnchen: \u00c4pfel, \u00d6l und \u00dcbung; STRASSE, Stra\u00dfe.",
    "L'\u00e9t\u00e9 o\u00f9 j'ai v\u00e9cu \u00e0 No\u00ebl, c'\u00e9tait \u00ab tr\u00e8s bien "
    "\u00bb.",
    "Caf\u00e9 Cafe\u0301 na\u00efve nai\u0308ve \ufb01ne \u212bngstr\u00f6m",
    "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144, P\u0159\u00edli\u0161 "
    "\u017elu\u0165ou\u010dk\u00fd k\u016f\u0148",
    "\u0130stanbul'da \u0131\u015f\u0131k, \u011f\u00fczel \u00e7ay",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u041a\u0430\u043a "
    "\u0434\u0435\u043b\u0430? \u0401\u0436\u0438\u043a 2024 \u0433.",
    "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1 \u03ba\u03cc\u03c3\u03bc\u03b5, "
    "\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2",
    "\u0540\u0561\u0575\u0565\u0580\u0565\u0576 \u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8 "
    "\u13e3\u13b3\u13a9",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd, \u05de\u05d4 \u05e0\u05e9\u05de\u05e2?",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c "
    "\u0643\u064e\u064a\u0652\u0641\u064e \u0627\u0644\u062d\u0627\u0644\u061f",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e\u0964 "
    "\u0915\u094d\u0937\u0924\u094d\u0930\u093f\u092f",
    "\u09ac\u09be\u0982\u09b2\u09be \u09ad\u09be\u09b7\u09be \u0ba4\u0bae\u0bbf\u0bb4\u0bcd "
    "\u0c24\u0c46\u0c32\u0c41\u0c17\u0c41",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 "
    "\u0ea5\u0eb2\u0ea7 \u1781\u17d2\u1798\u17c2\u179a \u1019\u103c\u1014\u103a\u1019\u102c",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01\u4eca\u5929\u5929\u6c14\u600e\u4e48\u6837\uff1f"
    "2024\u5e748\u670821\u65e5\u3002",
    "\u7e41\u9ad4\u4e2d\u6587\u300c\u5f15\u865f\u300d\u3001\u300e\u66f8\u300f\u2026\u2026",
    "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c\u3002\u30c6\u30b9\u30c8\u3067\u3059\u30fc"
    "\uff8a\uff9d\uff76\uff78",
    "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4\uc5ec! \ud55c\uad6d\uc5b4 "
    "\u314b\u314b\u314b\u3160\u3160 \u1112\u1161\u11ab",
    "Ti\u1ebfng Vi\u1ec7t c\u00f3 d\u1ea5u: \u0111\u01b0\u1eddng, Tie\u0302\u0301ng",
    "mixed\u4e2d\u6587and\u65e5\u672c\u8a9ewith English123\u548c456numbers",
    "\U0001f600 \U0001f602\U0001f602 \U0001f44d\U0001f3fd "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e9\U0001f1ea "
    "\u2764\ufe0f \u263a",
    "\u20ac100 \u00a35 \u00a5300 \u20b910 \u00a9 \u00ae \u2122 \u00b0C \u00b1 \u00d7 \u00f7 "
    "\u221e \u2248 \u2260 \u2264",
    "\u2200x\u2208\u211d: \u2211\u222b\u221a\u03c0 \u03b1\u03b2\u03b3 E=mc\u00b2 H\u2082O "
    "\U0001d400\U0001d401\U0001d402",
    "\u2018single\u2019 \u201cdouble\u201d \u2013 en \u2014 em \u2026 \u2022 bullet \u2190\u2192",
    "don\u2019t it\u2019s we\u2019re",
    "Z\u0351\u036b\u0343\u036a\u0302a\u0342l\u0329g\u0320o\u0321 \u0e4f\u0300\u0301",
    "\u01c5\u01c8\u01cb \u02b0\u02b2 \u00aa\u00ba \u1d2c \u01c3 \u02bcn",
    "\x01\x07 \x1b[0m \x7f",
    "\ufeffBOM \ufffd \uffff \U0010ffff",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "abababababababababababab abcabcabcabc",
    "The the THE tHe  The\nThe\tThe",
    "<s> </s> <unk> <|endoftext|> [INST] <|im_start|>user <start_of_turn> <0x41> \u2581 "
    "\u2581\u2581",
    "<html><body class=\"a\">&nbsp;</body></html>",
    "\\begin{equation} \\frac{a}{b} \\end{equation} $x_i^2$",
    "# Title\n\n- item 1\n  - item 1.1\n* item\n1. first\n\n> quote\n\n```cpp\ncode();\n```\n",
    "name,age\n\"Smith, J.\",42\n",
    "+1 (555) 123-4567 ISBN 978-3-16-148410-0",
    "hello\u0301 world",
    "x",
    " ",
    "\n",
    "",
};

}  // namespace

std::span<const std::string_view> probe_texts() { return kTexts; }

}  // namespace nibble::text
