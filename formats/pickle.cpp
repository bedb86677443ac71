#include "formats/pickle.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "core/base/byte_cursor.h"
#include "core/base/printable.h"

namespace nibble {

using Kind = PickleNode::Kind;

// The stack machine. A mark is a null pointer on the stack.
class PickleReader {
 public:
  PickleReader(std::span<const std::byte> bytes, std::span<const std::string_view> allowed,
               const PickleBudget& budget)
      : in_(bytes), allowed_(allowed), budget_(budget), pickle_(std::make_unique<Pickle>()) {}

  Result<std::unique_ptr<Pickle>> read() {
    while (!pickle_->root_) {
      op_at_ = in_.offset();
      NIBBLE_TRY(const uint8_t op, in_.u8());
      NIBBLE_CHECK(step(op));
      if (stack_.size() > budget_.stack) return over("values on the stack", budget_.stack);
    }
    return std::move(pickle_);
  }

 private:
  std::unexpected<Error> broken(std::string_view what) const {
    return corrupt("pickle byte {}: {}", op_at_, what);
  }
  std::unexpected<Error> over(std::string_view what, size_t most) const {
    return unsupported("pickle byte {}: more than {} {}", op_at_, most, what);
  }

  Result<PickleNode*> make(Kind kind) {
    if (pickle_->nodes_.size() == budget_.nodes) return over("values", budget_.nodes);
    PickleNode& node = pickle_->nodes_.emplace_back();
    node.kind = kind;
    return &node;
  }
  Result<void> push_new(Kind kind, int64_t number = 0) {
    NIBBLE_TRY(PickleNode* const node, make(kind));
    node->number = number;
    stack_.push_back(node);
    return {};
  }
  Result<void> push_text(uint64_t length) {
    NIBBLE_TRY(const auto text, in_.text(length));
    NIBBLE_CHECK(push_new(Kind::kText));
    stack_.back()->text = text;
    return {};
  }
  Result<PickleNode*> pop() {
    if (stack_.empty() || !stack_.back()) return broken("a value is missing on the stack");
    PickleNode* const node = stack_.back();
    stack_.pop_back();
    return node;
  }
  Result<PickleNode*> top(Kind kind, std::string_view what) {
    if (stack_.empty() || !stack_.back() || stack_.back()->kind != kind) return broken(what);
    return stack_.back();
  }
  // The values above the last mark, and the mark itself, leave the stack.
  Result<std::vector<const PickleNode*>> pop_mark() {
    const auto mark =
        std::find(stack_.rbegin(), stack_.rend(), nullptr).base();  // one after the mark
    if (mark == stack_.begin()) return broken("a mark is missing on the stack");
    std::vector<const PickleNode*> items(mark, stack_.end());
    stack_.erase(mark - 1, stack_.end());
    --n_marks_;
    return items;
  }

  Result<void> push_mark() {
    if (n_marks_ == budget_.marks) return over("open marks", static_cast<size_t>(budget_.marks));
    ++n_marks_;
    stack_.push_back(nullptr);
    return {};
  }
  Result<void> push_tuple(std::vector<const PickleNode*> items) {
    NIBBLE_CHECK(push_new(Kind::kTuple));
    stack_.back()->items = std::move(items);
    return {};
  }
  Result<void> push_last(size_t n) {  // a tuple of the last n values
    std::vector<const PickleNode*> items(n);
    for (size_t i = n; i-- > 0;) {
      NIBBLE_TRY(items[i], pop());
    }
    return push_tuple(std::move(items));
  }

  Result<void> remember(uint64_t index) {
    if (stack_.empty() || !stack_.back()) return broken("nothing to remember");
    if (memo_.size() >= budget_.memo && !memo_.contains(index))
      return over("remembered values", budget_.memo);
    memo_[index] = stack_.back();
    return {};
  }
  Result<void> recall(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return broken(fmt::format("value {} was never remembered", index));
    stack_.push_back(found->second);
    return {};
  }

  Result<void> push_global(std::string_view module, std::string_view name) {
    const std::string full = fmt::format("{} {}", module, name);
    if (std::ranges::find(allowed_, full) == allowed_.end())
      return unsupported(
          "pickle byte {}: asks for {}, which a checkpoint has no use for; nothing was run", op_at_,
          in_quotes(fmt::format("{}.{}", module, name)));
    NIBBLE_CHECK(push_new(Kind::kGlobal));
    stack_.back()->text = pickle_->names_.emplace_back(full);
    return {};
  }
  Result<std::string_view> line() {
    std::string_view rest;
    NIBBLE_TRY(rest, ByteCursor(in_).text(in_.remaining()));
    const size_t end = rest.find('\n');
    if (end == rest.npos) return broken("a line without an end");
    NIBBLE_TRY(const auto text, in_.text(end + 1));
    return text.substr(0, end);
  }
  Result<void> global_of_lines() {
    NIBBLE_TRY(const auto module, line());
    NIBBLE_TRY(const auto name, line());
    return push_global(module, name);
  }
  Result<void> global_of_stack() {
    NIBBLE_TRY(const auto* name, pop());
    NIBBLE_TRY(const auto* module, pop());
    if (name->kind != Kind::kText || module->kind != Kind::kText)
      return broken("a global without a name");
    return push_global(module->text, name->text);
  }

  // What torch calls: kept as a node, not called. OrderedDict() is an empty dictionary.
  Result<void> call() {
    NIBBLE_TRY(const auto* arguments, pop());
    NIBBLE_TRY(const auto* callee, pop());
    if (callee->kind != Kind::kGlobal || arguments->kind != Kind::kTuple)
      return broken("a call of something that is no global, or without arguments");
    if (callee->text == "collections OrderedDict" && arguments->items.empty())
      return push_new(Kind::kDict);
    NIBBLE_CHECK(push_new(Kind::kCall));
    stack_.back()->items = {callee, arguments};
    return {};
  }
  Result<void> persistent() {
    NIBBLE_TRY(const auto* id, pop());
    NIBBLE_CHECK(push_new(Kind::kPersistent));
    stack_.back()->items = {id};
    return {};
  }
  Result<void> add_items(std::vector<const PickleNode*> items) {
    NIBBLE_TRY(PickleNode* const dict,
               top(Kind::kDict, "items are set in something that is no dictionary"));
    if (items.size() % 2) return broken("a key without a value");
    dict->items.insert(dict->items.end(), items.begin(), items.end());
    return {};
  }
  Result<void> add_item() {
    NIBBLE_TRY(const auto* value, pop());
    NIBBLE_TRY(const auto* key, pop());
    return add_items({key, value});
  }
  Result<void> append(std::vector<const PickleNode*> items) {
    NIBBLE_TRY(PickleNode* const list,
               top(Kind::kList, "values are appended to something that is no list"));
    list->items.insert(list->items.end(), items.begin(), items.end());
    return {};
  }
  Result<void> append_one() {
    NIBBLE_TRY(const auto* value, pop());
    return append({value});
  }
  // State of an object (a state dict's _metadata): read over.
  Result<void> build() {
    NIBBLE_TRY(const auto* state, pop());
    static_cast<void>(state);
    NIBBLE_TRY(PickleNode* const object, pop());
    if (object->kind != Kind::kDict && object->kind != Kind::kCall)
      return broken("a state for something that has none");
    stack_.push_back(object);
    return {};
  }

  Result<void> push_long(uint64_t n) {  // two's complement, n bytes
    NIBBLE_TRY(const auto bytes, in_.take(n));
    if (n > 8) return unsupported("pickle byte {}: an integer of {} bytes", op_at_, n);
    uint64_t value = n && (bytes[n - 1] & std::byte{0x80}) != std::byte{} ? ~uint64_t{0} : 0;
    for (uint64_t i = n; i-- > 0;) value = value << 8 | static_cast<uint64_t>(bytes[i]);
    return push_new(Kind::kInt, static_cast<int64_t>(value));
  }
  Result<void> push_float() {  // big-endian
    NIBBLE_TRY(const uint64_t bits, in_.u64());
    NIBBLE_CHECK(push_new(Kind::kFloat));
    stack_.back()->real = std::bit_cast<double>(std::byteswap(bits));
    return {};
  }

  template <class T>
  Result<void> push_integer() {
    NIBBLE_TRY(const T value, in_.read<T>());
    return push_new(Kind::kInt, value);
  }
  template <class T, class F>
  Result<void> with(F then) {  // with the unsigned number that follows
    NIBBLE_TRY(const T n, in_.read<T>());
    return then(uint64_t{n});
  }

  Result<void> step(uint8_t op) {
    const auto text = [this](uint64_t n) { return push_text(n); };
    const auto put = [this](uint64_t i) { return remember(i); };
    const auto get = [this](uint64_t i) { return recall(i); };
    const auto large = [this](uint64_t n) { return push_long(n); };
    switch (op) {
      case 0x80:
        return with<uint8_t>([](uint64_t) { return Result<void>(); });  // PROTO
      case 0x95:
        return with<uint64_t>([](uint64_t) { return Result<void>(); });  // FRAME
      case 'N':
        return push_new(Kind::kNone);
      case 0x88:
        return push_new(Kind::kBool, 1);
      case 0x89:
        return push_new(Kind::kBool, 0);
      case 'K':
        return push_integer<uint8_t>();
      case 'M':
        return push_integer<uint16_t>();
      case 'J':
        return push_integer<int32_t>();
      case 0x8a:
        return with<uint8_t>(large);  // LONG1
      case 'G':
        return push_float();
      case 'X':
        return with<uint32_t>(text);  // BINUNICODE
      case 0x8c:
        return with<uint8_t>(text);  // SHORT_BINUNICODE
      case 0x8d:
        return with<uint64_t>(text);  // BINUNICODE8
      case 'U':
        return with<uint8_t>(text);  // SHORT_BINSTRING
      case 'T':
        return with<uint32_t>(text);  // BINSTRING
      default:
        return step_structure(op, put, get);
    }
  }
  template <class Put, class Get>
  Result<void> step_structure(uint8_t op, Put put, Get get) {
    switch (op) {
      case '(':
        return push_mark();
      case ')':
        return push_new(Kind::kTuple);
      case ']':
        return push_new(Kind::kList);
      case '}':
        return push_new(Kind::kDict);
      case 0x85:
        return push_last(1);
      case 0x86:
        return push_last(2);
      case 0x87:
        return push_last(3);
      case 't':
        return on_mark(&PickleReader::push_tuple);
      case 'u':
        return on_mark(&PickleReader::add_items);
      case 'e':
        return on_mark(&PickleReader::append);
      case 's':
        return add_item();
      case 'a':
        return append_one();
      case 'q':
        return with<uint8_t>(put);
      case 'r':
        return with<uint32_t>(put);
      case 0x94:
        return remember(memo_.size());  // MEMOIZE
      case 'h':
        return with<uint8_t>(get);
      case 'j':
        return with<uint32_t>(get);
      case 'c':
        return global_of_lines();
      case 0x93:
        return global_of_stack();
      case 'R':
        return call();
      case 'Q':
        return persistent();
      case 'b':
        return build();
      case '.':
        return stop();
      default:
        return unsupported("pickle byte {}: opcode {:#04x} is not read", op_at_, op);
    }
  }
  Result<void> on_mark(Result<void> (PickleReader::*then)(std::vector<const PickleNode*>)) {
    NIBBLE_TRY(auto items, pop_mark());
    return (this->*then)(std::move(items));
  }
  Result<void> stop() {
    NIBBLE_TRY(pickle_->root_, pop());
    if (!stack_.empty()) return broken("values are left on the stack");
    return {};
  }

  ByteCursor in_;
  const std::span<const std::string_view> allowed_;
  const PickleBudget budget_;
  std::unique_ptr<Pickle> pickle_;
  std::vector<PickleNode*> stack_;
  std::unordered_map<uint64_t, PickleNode*> memo_;
  uint64_t op_at_ = 0;
  int n_marks_ = 0;
};

Result<std::unique_ptr<Pickle>> read_pickle(std::span<const std::byte> bytes,
                                            std::span<const std::string_view> allowed_globals,
                                            const PickleBudget& budget) {
  if (bytes.size() > budget.bytes)
    return unsupported("a pickle of {} bytes, more than {}", bytes.size(), budget.bytes);
  return PickleReader(bytes, allowed_globals, budget).read();
}

}  // namespace nibble
