// "%s %5.2f" % values. Widths and precisions are bounded by the budget on bytes.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/markup.h"
#include "core/text/template/print.h"
#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

constexpr int kMaxPrecision = 1000;
constexpr size_t kMaxWidth = 1 << 20;

struct Conversion {  // %[(key)][flags][width][.precision]type
  bool minus = false, zero = false;
  size_t width = 0;
  NumberStyle style;
};

// What Python takes for a mapping: it need not be used up.
bool is_mapping(const Value& v) {
  return v.is(Kind::kDict) || v.is(Kind::kList) || v.is(Kind::kRange) || v.is_undefined();
}

class Percent {
 public:
  Percent(Interpreter& in, const Value& format, const Value& values)
      : in_(in), text_(format.str()), safe_(format.is_safe()), values_(values) {}

  Result<Value> run() {
    NIBBLE_CHECK(in_.spend_bytes(text_.size()));
    while (at_ < text_.size()) {
      const size_t next = std::min(text_.find('%', at_), text_.size());
      out_ += text_.substr(at_, next - at_);
      at_ = next + 1;
      if (next == text_.size()) break;
      NIBBLE_CHECK(conversion());
      if (out_.size() > in_.max_bytes()) NIBBLE_CHECK(in_.spend_bytes(out_.size()));
    }
    const bool all_used = values_.is(Kind::kTuple) ? used_ == values_.items().size()
                                                   : used_ > 0 || is_mapping(values_);
    if (!all_used && !by_key_)
      return invalid_input("not all arguments converted during string formatting");
    return in_.text(std::move(out_), safe_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  Result<Value> next_value() {
    if (key_) return *key_;
    if (values_.is(Kind::kTuple)) {
      if (used_ < values_.items().size()) return values_.items()[used_++];
    } else if (used_++ == 0) {
      return values_;
    }
    return invalid_input("not enough arguments for format string");
  }

  Result<size_t> number() {
    size_t n = 0;
    if (peek() == '*') {
      ++at_;
      NIBBLE_TRY(const Value v, next_value());
      if (!v.is_integral()) return invalid_input("* wants int");
      n = size_t(std::clamp<Integer>(v.to_integer(), 0, Integer(kMaxWidth) + 1));
    }
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      n = std::min(n * 10 + size_t(peek() - '0'), kMaxWidth + 1);
    if (n > kMaxWidth) return invalid_input("format: width above {}", kMaxWidth);
    return n;
  }

  Result<void> key() {
    key_.reset();
    if (peek() != '(') return {};
    const size_t end = text_.find(')', at_);
    if (end == text_.npos) return invalid_input("incomplete format key");
    if (!values_.is(Kind::kDict)) return invalid_input("format requires a mapping");
    const std::string name(text_.substr(at_ + 1, end - at_ - 1));
    const Value* found = values_.as<Dict>().find(name);
    if (!found) return invalid_input("format: there is no {}", quote(name));
    key_ = *found;
    by_key_ = true;
    at_ = end + 1;
    return {};
  }

  void flags(Conversion& c) {
    for (;; ++at_) {
      const char f = peek();
      if (f == '-')
        c.minus = true;
      else if (f == '0')
        c.zero = true;
      else if (f == '+')
        c.style.sign = '+';
      else if (f == ' ')
        c.style.sign = c.style.sign == '+' ? '+' : ' ';
      else if (f == '#')
        c.style.alternate = true;
      else
        return;
    }
  }

  Result<void> conversion() {
    Conversion c;
    NIBBLE_CHECK(key());
    flags(c);
    NIBBLE_TRY(c.width, number());
    if (peek() == '.') {
      ++at_;
      NIBBLE_TRY(const size_t precision, number());
      if (precision > size_t(kMaxPrecision))
        return invalid_input("format: precision above {}", kMaxPrecision);
      c.style.precision = int(precision);
      NIBBLE_CHECK(in_.spend(int64_t(precision / 8)));
    }
    if (peek() == 'l' || peek() == 'h' || peek() == 'L') ++at_;
    if (at_ >= text_.size()) return invalid_input("incomplete format");
    c.style.type = text_[at_++];
    if (c.style.type == '%' && text_[at_ - 2] == '%') {
      out_ += '%';
      return {};
    }
    NIBBLE_TRY(const Value v, next_value());
    return put(c, v);
  }

  Result<void> put(const Conversion& c, const Value& v) {
    const char type = c.style.type;
    const char align = c.minus ? '<' : '>';
    if (type == 's' || type == 'r' || type == 'a') {
      NIBBLE_TRY(std::string s, type == 's' ? in_.str(v) : in_.repr(v));
      if (c.style.precision >= 0) s.resize(char_offset(s, size_t(c.style.precision)));
      const bool plain = !(v.is(Kind::kString) && v.is_safe());
      out_ += pad("", safe_ && plain ? escape(s) : s, c.width, " ", align);
      return {};
    }
    if (type == 'c') {
      NIBBLE_TRY(const std::string s, character(v));
      out_ += pad("", s, c.width, " ", align);
      return {};
    }
    if (!std::string_view("diuxXoeEfFgG").contains(type))
      return invalid_input("unsupported format character '{}'", type);
    if (!v.is_numeric() || (v.is(Kind::kFloat) && (type == 'x' || type == 'X' || type == 'o')))
      return invalid_input("%{} format: a number is required, not {}", type, type_name(v));
    NIBBLE_TRY(const NumberText n, format_number(v, c.style));
    const std::string head = n.sign + n.prefix;
    out_ += pad(head, n.digits, c.width, c.zero && !c.minus ? "0" : " ",
                c.zero && !c.minus ? '=' : align);
    return {};
  }

  Result<std::string> character(const Value& v) {
    std::string s;
    if (v.is(Kind::kString) && v.as<String>().n_chars == 1) return v.str();
    if (!v.is_integral()) return invalid_input("%c requires int or char");
    if (v.to_integer() < 0 || v.to_integer() > 0x10FFFF)
      return invalid_input("%c arg not in range(0x110000)");
    text::append_utf8(s, char32_t(v.to_integer()));
    return s;
  }

  Interpreter& in_;
  std::string_view text_;
  bool safe_;
  const Value& values_;
  std::string out_;
  size_t at_ = 0, used_ = 0;
  bool by_key_ = false;
  std::optional<Value> key_;
};

}  // namespace

Result<Value> percent_format(Interpreter& in, const Value& format, const Value& values) {
  return Percent(in, format, values).run();
}

}  // namespace nibble::jinja
