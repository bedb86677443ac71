// The syntax tree of a template. One node type for expressions and one for statements; each kind
// says which of the fields it uses.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/text/template/value.h"

namespace nibble::jinja {

struct Expr;
struct Stmt;
struct Function;
using ExprPtr = std::unique_ptr<Expr>;

struct Block : std::vector<Stmt> {
  std::vector<int> unset;  // names that are undefined where it begins (scopes.h)
};

enum class ExprKind : uint8_t {
  kLiteral,  // value
  kName,     // name, symbol
  kTuple,
  kList,  // items
  kDict,  // items: key, value, key, value, ...
  kNot,
  kNegative,
  kPositive,  // items[0]
  kAnd,
  kOr,           // items[0], items[1]
  kArithmetic,   // op, items[0], items[1]
  kConcat,       // items
  kCompare,      // items[0] ops[0] items[1] ops[1] items[2] ...
  kConditional,  // items: test, value, other (may be null)
  kAttribute,    // items[0].name
  kItem,         // items[0][items[1]]
  kSlice,        // items[0..2], each may be null
  kCall,         // items[0](args)
  kFilter,       // items[0] | function(args); items[0] null: the text of the block around it
  kTest,         // items[0] is function(args)
  kMember,       // name.text, as the target of a set: symbol, name = attribute
};

enum class Op : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kFloorDiv,
  kMod,
  kPow,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kNotIn,
};

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star, double_star;
};

struct Expr {
  ExprKind kind;
  Op op = Op::kAdd;
  int line = 0;
  int depth = 1;
  int symbol = -1;
  std::string name;
  Value value;
  std::vector<ExprPtr> items;
  std::vector<Op> ops;
  Arguments args;
  const Function* function = nullptr;  // kFilter, kTest: null when there is none of that name
};

enum class StmtKind : uint8_t {
  kText,       // text
  kPrint,      // exprs
  kIf,         // tests[i] -> blocks[i]; one more block: else
  kFor,        // target in exprs[0] if exprs[1] (may be null): blocks[0], else blocks[1]; recursive
  kSet,        // target = exprs[0]
  kSetBlock,   // target = blocks[0] through the filters exprs[0] (may be null)
  kWith,       // targets[i] = exprs[i]: blocks[0]
  kMacro,      // macro
  kCallBlock,  // exprs[0] called with macro as caller; without it, macro alone
  kFilterBlock,  // exprs[0] over blocks[0]
  kScope,        // blocks[0] with names of its own
  kBreak,
  kContinue,
  kRefuse,  // text: why it cannot be run
};

struct MacroNode {
  std::string name;  // empty: of a call block
  int symbol = -1;
  std::vector<int> params;
  std::vector<std::string> param_names;
  std::vector<ExprPtr> defaults;  // of the last params
  Block body;
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false, explicit_caller = false;
};

struct Stmt {
  StmtKind kind;
  int line = 0;
  bool recursive = false;
  std::string text;
  ExprPtr target;
  std::vector<ExprPtr> targets, exprs;
  std::vector<Block> blocks;
  std::unique_ptr<MacroNode> macro;
};

struct Tree {
  Block body;
  std::vector<std::string> names;                     // by symbol
  int loop = 0, caller = 0, varargs = 0, kwargs = 0;  // symbols of the special names
};

}  // namespace nibble::jinja
