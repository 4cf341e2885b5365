// Live messages as they come: event streams and WebSockets.
#include <vector>

#include "tram/protocols/api/json_text.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/event_stream.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/routes/routes.h"
#include "tram/protocols/http/target.h"
#include "tram/protocols/http/websocket.h"

namespace tram::protocols::http::routes {

namespace {

struct Wishes {
  std::vector<std::string> subjects;
  std::string group;
  SlowPolicy policy = SlowPolicy::disconnect;
};

base::Result<Wishes> read_wishes(const RequestHead& head) {
  Wishes wishes;
  std::string policy = "disconnect";
  Query query(head.query);
  query.texts("subject", wishes.subjects);
  query.text("group", wishes.group);
  query.text("policy", policy);
  if (base::Result<> read = query.finish(); !read) return std::unexpected(read.error());
  std::optional<SlowPolicy> known = parse_slow_policy(policy);
  if (!known)
    return base::failure(base::Errc::invalid_argument,
                         "\"policy\" must be disconnect or drop_newest");
  wishes.policy = *known;
  return wishes;
}

// Begins once every loop knows of the subscriptions.
template <class Kind>
class Begin final : public ReplyHandler {
 public:
  Begin(std::unique_ptr<Kind> stream, std::string fields, int status)
      : stream_(std::move(stream)), fields_(std::move(fields)), status_(status) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply&) override { begin(exchange); }
  void begin(Exchange& exchange) {
    Kind& stream = *stream_;
    exchange.become(std::move(stream_), fields_, status_);
    stream.start();
  }

 private:
  std::unique_ptr<Kind> stream_;
  const std::string fields_;
  const int status_;
};

template <class Kind>
void begin_stream(Exchange& exchange, std::unique_ptr<Kind> stream, const Wishes& wishes,
                  std::string fields, int status) {
  for (const std::string& subject : wishes.subjects)
    if (base::Result<> added = stream->subscriptions().add(subject, wishes.group); !added)
      return exchange.refuse(added.error());
  auto handler = std::make_unique<Begin<Kind>>(std::move(stream), std::move(fields), status);
  Begin<Kind>& begins = *handler;
  exchange.await(std::move(handler));
  if (exchange.engine().known_everywhere(exchange.caller(), exchange.ticket()))
    begins.begin(exchange);
}

void begin_websocket(Exchange& exchange, const Wishes& wishes) {
  const RequestHead& head = exchange.head();
  if (head.websocket_version != "13")
    return exchange.refuse({base::Errc::invalid_argument, "Sec-WebSocket-Version must be 13"}, 426,
                           "Sec-WebSocket-Version: 13\r\n");
  std::optional<std::string> nonce = api::decode_base64(head.websocket_key);
  if (!nonce || nonce->size() != 16)
    return exchange.refuse(
        {base::Errc::invalid_argument, "Sec-WebSocket-Key must be 16 bytes in base64"});
  begin_stream(exchange,
               std::make_unique<WebSocket>(exchange.door(), exchange.connection(),
                                           exchange.caller(), wishes.policy),
               wishes,
               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " +
                   websocket_accept(head.websocket_key) + "\r\n",
               101);
}

}  // namespace

void subscribe(Exchange& exchange) {
  base::Result<Wishes> wishes = read_wishes(exchange.head());
  if (!wishes) return exchange.refuse(wishes.error());
  if (exchange.head().upgrades_to_websocket) return begin_websocket(exchange, *wishes);
  if (wishes->subjects.empty())
    return exchange.refuse({base::Errc::invalid_argument, "\"subject\" is needed"});
  constexpr BytesView type = "text/event-stream";
  if (exchange.head().method == Method::head) return exchange.answer({200, type});
  begin_stream(
      exchange,
      std::make_unique<EventStream>(exchange.door(), exchange.connection(), wishes->policy),
      *wishes, "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n", 200);
}

}  // namespace tram::protocols::http::routes
