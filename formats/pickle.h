// Reads a pickle as data. Nothing is executed: a global is a name, a call is a node that holds the
// name and the arguments, and only names of the list that the caller gives may occur. Source:
// CPython's Lib/pickletools.py; the opcodes are those that torch.save writes (protocol 2), and what
// later protocols write for the same values.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace nibble {

struct PickleNode {
  enum class Kind {
    kNone,
    kBool,
    kInt,
    kFloat,
    kText,
    kTuple,
    kList,
    kDict,
    kGlobal,
    kPersistent,
    kCall
  };
  Kind kind = Kind::kNone;
  int64_t number = 0;     // kBool, kInt
  double real = 0;        // kFloat
  std::string_view text;  // kText; kGlobal: "module name"
  std::vector<const PickleNode*>
      items;  // kDict: key, value, key, ...; kPersistent: its id; kCall: what is called, arguments

  bool is_call_of(std::string_view global) const {
    return kind == Kind::kCall && items[0]->kind == Kind::kGlobal && items[0]->text == global;
  }
};

struct PickleBudget {
  size_t bytes = size_t{64} << 20;
  size_t nodes = size_t{1} << 20;
  size_t stack = size_t{1} << 20;
  size_t memo = size_t{1} << 20;
  int marks = 128;  // open at once: how deep tuples, lists and dictionaries are nested
};

// A value and all that it refers to (in cycles too: follow it with a bound).
class Pickle {
 public:
  const PickleNode& root() const { return *root_; }

 private:
  friend class PickleReader;
  std::deque<PickleNode> nodes_;
  std::deque<std::string> names_;  // of globals
  const PickleNode* root_ = nullptr;
};

// bytes must outlive the result. Fails with kCorrupt, or kUnsupported for an opcode that is not
// known, a global that is not allowed, an exceeded budget; messages name the byte offset.
Result<std::unique_ptr<Pickle>> read_pickle(std::span<const std::byte> bytes,
                                            std::span<const std::string_view> allowed_globals,
                                            const PickleBudget& budget = {});

}  // namespace nibble
