// Text to JSON values through nlohmann's event parser, so that depth, repeated keys and positions
// are ours to judge and nothing throws. Objects keep the order of their keys.
#include "core/base/json.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "core/base/printable.h"

namespace nibble {
namespace {

// Iterates over text and leaves where it is in *seen: the event parser tells no position for keys.
struct TrackedIterator {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** seen = nullptr;

  reference operator*() const { return *at; }
  TrackedIterator& operator++() {
    *seen = ++at;
    return *this;
  }
  TrackedIterator operator++(int) {
    const TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const { return at == other.at; }
};

// Receives the parser's events and builds the value. A method that returns false ends the parse.
class Builder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(number_integer_t value) { return add(value); }
  bool number_unsigned(number_unsigned_t value) { return add(value); }
  bool number_float(number_float_t value, const string_t&) { return add(value); }
  bool string(string_t& value) { return add(std::move(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& key) {
    if (!open_.back().keys.insert(key).second) {
      fault_ = fmt::format("key {} stands twice in one object", in_quotes(key));
      return false;
    }
    open_.back().key = std::move(key);
    return true;
  }
  template <class Exception>
  bool parse_error(size_t, const std::string&, const Exception& error) {
    fault_ = plain(error.what());
    return false;
  }

  Json take() { return std::move(root_); }
  const std::string& fault() const { return fault_; }

 private:
  struct Frame {
    Json value;
    std::string key;  // of the object's member that comes next
    std::set<std::string> keys;
  };

  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...": the end
  // of it.
  static std::string plain(std::string_view what) {
    const size_t position = what.find("column ");
    const size_t colon = what.find(": ", position == what.npos ? 0 : position);
    return printable(colon == what.npos ? what : what.substr(colon + 2), 160);
  }
  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = open_.back();
    if (frame.value.is_array())
      frame.value.get_ref<Json::array_t&>().push_back(std::move(value));
    else  // the key is new, so the search that operator[] would do is spared
      frame.value.get_ref<Json::object_t&>().emplace_back(std::move(frame.key), std::move(value));
    return true;
  }
  bool open(Json empty) {
    if (open_.size() == kMaxJsonDepth) {
      fault_ = fmt::format("nested deeper than {}", kMaxJsonDepth);
      return false;
    }
    open_.push_back({std::move(empty), {}, {}});
    return true;
  }
  bool close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  Json root_;
  std::vector<Frame> open_;
  std::string fault_;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Builder builder;
  const char* const begin = text.data();
  const char* seen = begin;
  if (Json::sax_parse(TrackedIterator{begin, &seen}, TrackedIterator{begin + text.size(), &seen},
                      &builder))
    return builder.take();
  const std::string_view before = text.substr(0, static_cast<size_t>(seen - begin));
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t newline = before.rfind('\n');
  const size_t column = newline == before.npos ? before.size() : before.size() - newline - 1;
  return corrupt("JSON line {}, column {}: {}", line, column, builder.fault());
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nibble
