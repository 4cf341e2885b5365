#include "tram/client/queue_replies.h"

#include <boost/json.hpp>
#include <charconv>

namespace tram::client {

using base::BytesView;
using base::Duration;
using base::Errc;
using base::Error;
using base::failure;
using base::Result;
namespace json = boost::json;

namespace {

std::optional<Errc> code_named(std::string_view name) {
#define TRAM_ERROR_BY_NAME(code, sentence) \
  if (name == #code) return Errc::code;
  TRAM_ERRORS(TRAM_ERROR_BY_NAME)
#undef TRAM_ERROR_BY_NAME
  return std::nullopt;
}

std::unexpected<Error> strange(BytesView reply) {
  constexpr size_t shown_max = 80;
  return failure(Errc::protocol_error,
                 "the broker answered '" + std::string(reply.substr(0, shown_max)) + "'");
}

// Reads an object's fields, with what to assume when one is missing or of another kind.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  uint64_t number(const char* key) const {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) return 0;
    if (const int64_t* number = value->if_int64())
      return *number < 0 ? 0 : static_cast<uint64_t>(*number);
    if (const uint64_t* number = value->if_uint64()) return *number;
    return 0;
  }
  std::string text(const char* key) const {
    const json::value* value = object_.if_contains(key);
    const json::string* string = value != nullptr ? value->if_string() : nullptr;
    return string != nullptr ? std::string(string->data(), string->size()) : std::string();
  }
  bool flag(const char* key) const {
    const json::value* value = object_.if_contains(key);
    const bool* found = value != nullptr ? value->if_bool() : nullptr;
    return found != nullptr && *found;
  }
  Duration milliseconds(const char* key) const {
    uint64_t count = number(key);
    return Duration::from_milliseconds(static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX)));
  }
  bool has(const char* key) const { return object_.if_contains(key) != nullptr; }

 private:
  const json::object& object_;
};

std::optional<json::value> parsed_object(BytesView text) {
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || value.if_object() == nullptr) return std::nullopt;
  return value;
}

QueueInfo queue_info(const json::object& object) {
  Fields fields(object);
  return {.name = fields.text("name"),
          .ready = fields.number("ready"),
          .leased = fields.number("leased"),
          .bytes = fields.number("bytes"),
          .waiting_takers = fields.number("waiting_takers"),
          .puts = fields.number("puts"),
          .deliveries = fields.number("deliveries"),
          .oldest_ready_age = fields.milliseconds("oldest_ready_age_ms")};
}

uint64_t number_in(std::optional<BytesView> text) {
  uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

std::optional<Error> error_in(const Message& reply) {
  auto header = reply.headers.find("Tram-Error");
  if (!header && !reply.payload.starts_with("{\"error\"")) return std::nullopt;
  std::string name = header ? std::string(*header) : std::string();
  std::string words;
  if (auto value = parsed_object(reply.payload)) {
    const json::value* error = value->get_object().if_contains("error");
    if (error != nullptr && error->if_object() != nullptr) {
      Fields fields(error->get_object());
      if (name.empty()) name = fields.text("code");
      words = fields.text("message");
    }
  }
  auto code = code_named(name);
  if (!code) return Error{Errc::protocol_error, "the broker says " + name + ": " + words};
  // Error::text says the code's sentence by itself; only what the broker adds is detail.
  std::string_view sentence = base::sentence_of(*code);
  if (words.starts_with(sentence)) {
    words.erase(0, sentence.size());
    if (words.starts_with(" (") && words.ends_with(')')) words = words.substr(2, words.size() - 3);
  }
  return Error{*code, words};
}

Result<PutReply> parse_put_reply(BytesView text) {
  auto value = parsed_object(text);
  if (!value) return strange(text);
  Fields fields(value->get_object());
  PutReply reply{fields.number("id"), fields.text("queue"), fields.text("durability"),
                 fields.flag("duplicate")};
  if (reply.id == 0) return strange(text);
  return reply;
}

Result<std::vector<QueueInfo>> parse_queue_list(BytesView text) {
  auto value = parsed_object(text);
  const json::value* queues = value ? value->get_object().if_contains("queues") : nullptr;
  if (queues == nullptr || queues->if_array() == nullptr) return strange(text);
  std::vector<QueueInfo> list;
  for (const json::value& queue : queues->get_array()) {
    if (queue.if_object() == nullptr) return strange(text);
    list.push_back(queue_info(queue.get_object()));
  }
  return list;
}

Result<QueueInfo> parse_queue_info(BytesView text) {
  auto value = parsed_object(text);
  if (!value || !Fields(value->get_object()).has("name")) return strange(text);
  return queue_info(value->get_object());
}

Result<uint64_t> parse_removed(BytesView text) {
  auto value = parsed_object(text);
  if (!value || !Fields(value->get_object()).flag("ok")) return strange(text);
  return Fields(value->get_object()).number("count");
}

Result<BrokerInfo> parse_broker_info(BytesView text) {
  auto value = parsed_object(text);
  if (!value) return strange(text);
  Fields fields(value->get_object());
  return BrokerInfo{fields.text("name"), fields.text("version"), fields.milliseconds("uptime_ms")};
}

Result<Delivery> parse_delivery(const Message& message) {
  auto id = message.headers.find("Tram-Id");
  if (!id) return strange(message.payload);
  auto text = [&](const char* name) {
    auto found = message.headers.find(name);
    return found ? std::string(*found) : std::string();
  };
  return Delivery{.id = number_in(id),
                  .queue = text("Tram-Queue"),
                  .attempt = number_in(message.headers.find("Tram-Attempt")),
                  .lease = text("Tram-Lease"),
                  .headers = base::Bytes(message.headers.block()),
                  .payload = base::Bytes(message.payload),
                  .answer_to = std::string(message.reply)};
}

}  // namespace tram::client
