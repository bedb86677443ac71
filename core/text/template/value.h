// What a template computes with: Python's values as far as templates can see them. Strings, lists,
// tuples and dicts never change once made (the sandbox refuses what would change them); namespaces,
// loops and generators do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble::jinja {

__extension__ typedef __int128 Integer;  // wide enough for every integer that JSON text is read to
__extension__ typedef unsigned __int128 Magnitude;

inline constexpr int kMaxValueDepth = 200;  // of lists in lists, generators over generators
inline constexpr int64_t kMaxValueWeight = 4'000'000;  // what walking a value may cost

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kRange,
  kView,       // dict.keys(), .values(), .items()
  kGenerator,  // what can be walked once
  kNamespace,
  kLoop,
  kMacro,
  kBuiltin,  // a global function
  kMethod,   // a method bound to its receiver
  kCycler,
  kJoiner,
};

// depth: 1 + that of the deepest value inside; weight: the values inside, each as often as it
// occurs, and the text in units of 16 bytes. Both are bounded, so that no walk over a value can
// exhaust the stack or take unforeseen time.
struct Object {
  virtual ~Object() = default;
  virtual void release() {}  // drops what it refers to: breaks cycles through mutable objects
  int depth = 0;
  int64_t weight = 1;
};

class Value {
 public:
  Value() : i_(0) {}
  static Value none();
  static Value boolean(bool b);
  static Value integer(Integer i);
  static Value number(double f);
  static Value text(std::string s, bool safe = false);
  static Value object(Kind kind, std::shared_ptr<Object> object);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool is_numeric() const { return is_integral() || kind_ == Kind::kFloat; }
  bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }

  Integer to_integer() const { return kind_ == Kind::kBool ? Integer(b_) : i_; }  // kInt, kBool
  double to_number() const { return kind_ == Kind::kFloat ? f_ : double(to_integer()); }
  const std::string& str() const;           // kString
  bool is_safe() const;                     // kString marked by |safe or |escape
  const std::vector<Value>& items() const;  // kList, kTuple
  template <class T>
  T& as() const {
    return static_cast<T&>(*object_);
  }
  Object* identity() const { return object_.get(); }
  const std::shared_ptr<Object>& shared() const { return object_; }
  int depth() const { return object_ ? object_->depth : 0; }
  int64_t weight() const { return object_ ? object_->weight : 1; }

 private:
  Kind kind_ = Kind::kUndefined;
  union {
    bool b_;
    double f_;
    Integer i_;
  };
  std::shared_ptr<Object> object_;
};

struct Undefined : Object {
  std::string message;  // of the error that using it gives
};
struct String : Object {
  std::string text;
  size_t n_chars = 0;  // code points
  bool safe = false;   // holds markup: + and % escape what they add to it
};
struct Sequence : Object {
  std::vector<Value> items;
  std::vector<std::string_view> names;  // of a named tuple's items
};
struct Range : Object {
  Integer start = 0, stop = 0, step = 1;  // range() makes none that is_far
  Integer size() const;
};
inline bool is_far(Integer i) { return i > Integer(1) << 100 || i < -(Integer(1) << 100); }
struct View : Object {
  enum What { kKeys, kValues, kItems } what = kKeys;
  Value dict;
};
struct Generator : Object {
  std::function<Result<bool>(Value&)> step;  // false: at the end
  std::string_view type = "generator";
  bool done = false;
};
struct Namespace : Object {
  std::vector<std::pair<std::string, Value>> attributes;
  void release() override { attributes.clear(); }
};
struct Method : Object {
  Value receiver;
  std::string name;
};
struct Builtin : Object {
  const struct Function* function = nullptr;
};
struct Cycler : Object {
  std::vector<Value> items;
  size_t at = 0;
};
struct Joiner : Object {
  Value separator;
  bool used = false;
};

// Some order of keys in which equal ones are one. A tree cannot be driven to the linear searches of
// a hash table whose keys a template chose.
struct KeyOrder {
  using is_transparent = void;
  bool operator()(const Value& a, const Value& b) const;
  bool operator()(const Value& a, std::string_view b) const;
  bool operator()(std::string_view a, const Value& b) const;
};

class Dict : public Object {
 public:
  using Entry = std::pair<Value, Value>;
  const std::vector<Entry>& entries() const { return entries_; }
  // Fails when the key cannot be hashed.
  Result<void> set(Value key, Value value);
  Result<const Value*> find(const Value& key) const;
  const Value* find(std::string_view key) const;

 private:
  std::vector<Entry> entries_;
  std::map<Value, size_t, KeyOrder> index_;  // of the entries
};

// Fail (kInvalidInput) when the value would be nested or weigh too much.
Result<Value> make_list(std::vector<Value> items, Kind kind = Kind::kList);
Result<Value> make_dict(std::shared_ptr<Dict> dict);
Result<Value> make_generator(const Value& source, std::function<Result<bool>(Value&)> step);
// Depth and weight of an object that holds these values.
struct Extent {
  int depth = 0;
  int64_t weight = 1;
  void add(const Value& v);
  Result<void> store(Object& object) const;
};

Value make_undefined(std::string message);
std::string_view undefined_message(const Value& v);
Value missing_attribute(const Value& owner, std::string_view name);
Value missing_element(const Value& owner, const Value& key);

Result<Value> from_json(const Json& json);
bool truth(const Value& v);
bool equal(const Value& a, const Value& b);
bool same(const Value& a, const Value& b);    // Python's `is`
Result<void> check_hashable(const Value& v);  // fails on what cannot be a dict's key
// -1, 0, 1, or 2 for unordered (NaN); fails on types that have no order. op: for the message.
Result<int> compare(const Value& a, const Value& b, std::string_view op);
std::string_view type_name(const Value& v);
std::string type_repr(const Value& v);  // "dict object", "None"
// len(v); fails on what has none.
Result<int64_t> length(const Value& v);

}  // namespace nibble::jinja
