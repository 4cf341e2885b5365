#include "tram/protocols/http/websocket_request.h"

#include "tram/protocols/http/json_lines.h"

namespace tram::protocols::http {

base::Result<> read_websocket_request(BytesView text, uint64_t payload_size_max,
                                      WebSocketRequest& to) {
  using Verb = WebSocketRequest::Verb;
  to.json = api::JsonRequest::parse(text);
  if (to.json.has("id")) {
    uint64_t id = 0;
    to.json.id("id", id);
    to.id = id;
  }
  int verbs = 0;
  std::optional<BytesView> subject;
  std::optional<BytesView> other;  // The group, or where answers go.
  auto reads = [&](Verb verb) {
    return [&, verb](api::JsonRequest& inner) {
      ++verbs;
      to.verb = verb;
      inner.text("subject", subject);
      inner.text(verb == Verb::publish ? "reply_to" : "group", other);
      if (verb == Verb::publish) to.message.read(inner);
    };
  };
  to.json.object("publish", reads(Verb::publish));
  to.json.object("subscribe", reads(Verb::subscribe));
  to.json.object("unsubscribe", reads(Verb::unsubscribe));
  if (base::Result<> read = to.json.finish(); !read) return read;
  if (verbs != 1)
    return base::failure(base::Errc::invalid_argument,
                         "one of \"publish\", \"subscribe\" and \"unsubscribe\"");
  if (!subject) return base::failure(base::Errc::invalid_argument, "\"subject\" is needed");
  to.subject = *subject;
  if (to.verb != Verb::publish) {
    to.group = other.value_or(BytesView());
    return {};
  }
  to.reply_to = other.value_or(BytesView());
  if (base::Result<> valid = check_subject(to.subject); !valid) return valid;
  if (other)
    if (base::Result<> valid = check_subject(to.reply_to); !valid) return valid;
  return to.message.finish(payload_size_max);
}

}  // namespace tram::protocols::http
