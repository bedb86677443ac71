// A template's text as tokens: data, and between {{ }} and {% %} names, numbers, strings and
// operators. White space control ({%-, +%}, trim_blocks, lstrip_blocks), comments and raw blocks
// end here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/template/value.h"

namespace nibble::jinja {

enum class Tok : uint8_t {
  kData,
  kPrintBegin,
  kPrintEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInt,
  kFloat,
  kOp,
  kEof
};

struct Token {
  Tok type;
  int line, column;  // 1-based; column in bytes
  std::string text;  // of data, names, strings (unescaped), operators
  Integer integer = 0;
  double number = 0;

  bool is_op(std::string_view op) const { return type == Tok::kOp && text == op; }
  bool is_name(std::string_view name) const { return type == Tok::kName && text == name; }
};

// The last token is kEof. Fails (kInvalidInput) with line and column.
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace nibble::jinja
