#include "core/text/chat.h"

#include <chrono>

#include "core/text/template/characters.h"

namespace nibble {
namespace {

// Seconds since 1970 of "2026-01-02", "2026-01-02T03:04" or "2026-01-02T03:04:05", taken as UTC.
std::optional<int64_t> parse_time(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, n = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2d%n%*1[T ]%2d:%2d%n:%2d%n", &year, &month,
                                &day, &n, &hour, &minute, &n, &second, &n);
  const std::string_view rest = std::string_view(text).substr(static_cast<size_t>(n));
  if (found < 3 || !(rest.empty() || rest == "Z" || rest.starts_with('.'))) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                            std::chrono::day(unsigned(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t days = sys_days(date).time_since_epoch().count();
  return days * 86400 + hour * 3600 + minute * 60 + second;
}

Result<void> want(const Json& value, bool holds, std::string_view name, std::string_view wanted) {
  if (holds) return {};
  return invalid_input("\"{}\" is {}, expected {}", name, value.type_name(), wanted);
}

Result<std::optional<std::string>> text_member(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || it->is_null()) return std::nullopt;
  NIBBLE_CHECK(want(*it, it->is_string(), name, "a string"));
  return it->get<std::string>();
}

}  // namespace

int64_t present_time() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

Result<ChatRequest> parse_chat_case(std::string_view text) {
  NIBBLE_TRY(const Json json, parse_json(text));
  NIBBLE_CHECK(want(json, json.is_object(), "case", "an object"));
  if (!json.contains("messages")) return invalid_input("\"messages\" is missing");
  ChatRequest request;
  request.messages = json["messages"];
  NIBBLE_CHECK(want(request.messages, request.messages.is_array(), "messages", "an array"));
  if (json.contains("tools")) request.tools = json["tools"];
  if (const auto it = json.find("add_generation_prompt"); it != json.end()) {
    NIBBLE_CHECK(want(*it, it->is_boolean(), "add_generation_prompt", "true or false"));
    request.add_generation_prompt = it->get<bool>();
  }
  NIBBLE_TRY(request.bos_token, text_member(json, "bos_token"));
  NIBBLE_TRY(request.eos_token, text_member(json, "eos_token"));
  NIBBLE_TRY(const auto now, text_member(json, "now"));
  const auto time = now ? parse_time(*now) : present_time();
  if (!time)
    return invalid_input("\"now\" is \"{}\", expected a time as 2026-01-02T03:04:05", *now);
  request.now = *time;
  if (const auto it = json.find("extra"); it != json.end() && !it->is_null()) {
    NIBBLE_CHECK(want(*it, it->is_object(), "extra", "an object"));
    request.extra = *it;
  }
  return request;
}

void add_token_texts(ChatRequest& request, const Tokenizer& tokenizer) {
  const auto text = [&](std::optional<TokenId> id) {
    return id ? std::optional(std::string(tokenizer.token_text(*id))) : std::nullopt;
  };
  if (!request.bos_token) request.bos_token = text(tokenizer.bos());
  if (!request.eos_token) request.eos_token = text(tokenizer.eos());
}

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  NIBBLE_TRY(auto parsed, jinja::Template::parse(source));
  return ChatTemplate(std::move(parsed));
}

Result<std::string> ChatTemplate::render(const ChatRequest& request) const {
  Json variables = Json::object();
  variables["messages"] = request.messages;
  variables["tools"] = request.tools;
  variables["documents"] = nullptr;
  variables["add_generation_prompt"] = request.add_generation_prompt;
  if (request.bos_token) variables["bos_token"] = *request.bos_token;
  if (request.eos_token) variables["eos_token"] = *request.eos_token;
  for (const auto& [name, value] : request.extra.items()) variables[name] = value;
  return template_.render(variables, request.now);
}

Result<std::vector<TokenId>> ChatFormat::encode(const ChatPrompt& prompt) const {
  NIBBLE_TRY(auto ids, tokenizer_.encode(prompt.text, {.add_special = false,
                                                       .parse_special = true,
                                                       .plain_at = prompt.plain_at}));
  const auto bos = tokenizer_.bos();
  if (tokenizer_.adds_bos() && bos && (ids.empty() || ids.front() != *bos))
    ids.insert(ids.begin(), *bos);
  return ids;
}

}  // namespace nibble
