#include "tram/protocols/http/session.h"

#include "tram/base/assert.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/http/door.h"

namespace tram::protocols::http {

namespace {

// A slow line gets a second for so much of an announced body.
constexpr uint64_t body_bytes_per_second_min = 32 << 10;
// JSON writes a message's bytes longer than they are: quotes and line ends as two.
constexpr uint64_t json_overhead = 64 << 10;

}  // namespace

struct HttpSession::Gathered {
  explicit Gathered(uint64_t size_max) : body(size_max) {}
  std::string text;  // The head, and then the body.
  size_t head_size = 0;
  ChunkedBody body;
};

HttpSession::HttpSession(HttpDoor& door, net::Connection& connection)
    : door_(door), connection_(connection), exchange_(*this), timer_([this] { on_deadline(); }) {
  door_.count().connections.add();
  door_.count().connections_total.add();
  enter(Phase::idle, door_.options().idle_time_max);
}

HttpSession::~HttpSession() {
  stream_.reset();
  abandon();
  door_.count().connections.subtract();
}

// --- Reading.

net::Session::Progress HttpSession::on_bytes(BytesView bytes, const SharedBytes* owner) {
  size_t at = 0;
  while (true) {
    if (stream_) {
      Progress progress = stream_->on_bytes(bytes.substr(at));
      return {at + progress.consumed, progress.needed};
    }
    Step step = gathered_ ? gather(bytes.substr(at)) : next_request(bytes.substr(at), owner);
    at += step.consumed;
    if (!step.more) return {at, step.needed};
  }
}

HttpSession::Step HttpSession::next_request(BytesView bytes, const SharedBytes* owner) {
  // Some clients end a body with an empty line that they do not count (RFC 9112, 2.2).
  size_t skipped = 0;
  while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
  bytes.remove_prefix(skipped);
  if (bytes.empty() || bytes == "\r") return {skipped};

  size_t head_size = find_head_end(bytes, scanned_);
  size_t seen = head_size == 0 ? bytes.size() : head_size;
  if (seen > door_.options().head_bytes_max) {
    bool still_in_line =
        bytes.substr(0, door_.options().head_bytes_max).find('\n') == BytesView::npos;
    refuse_connection(still_in_line ? 414 : 431, {base::Errc::request_too_large, {}});
    return {skipped};
  }
  if (head_size == 0) {
    scanned_ = bytes.size();
    if (phase_ == Phase::idle) enter(Phase::head, door_.options().head_time_max);
    return {skipped};
  }
  scanned_ = 0;
  std::expected<RequestHead, HeadRefusal> head =
      parse_head(bytes.substr(0, head_size), door_.options().header_count_max);
  if (!head) {
    refuse_connection(head.error().status, head.error().error);
    return {skipped};
  }
  Step step = read_body(*head, match(head->method, head->path), bytes, owner);
  step.consumed += skipped;
  return step;
}

HttpSession::Step HttpSession::read_body(const RequestHead& head, const Match& found,
                                         BytesView bytes, const SharedBytes* owner) {
  // Turned away before its body is read: if that is not here yet, the connection closes, as
  // reading it only to drop it would be work that anybody could give us.
  uint64_t whole_size = head.size + head.content_length;
  bool too_large = head.content_length > body_size_max(head, found);
  bool whole = !head.chunked && !too_large && bytes.size() >= whole_size;
  closes_ = !head.keep_alive || stopping_ || !whole;
  if (turn_away(head, found)) return {whole ? whole_size : head.size, 0, go_on()};
  if (too_large) {
    exchange_.begin(head, found, {}, nullptr);
    exchange_.refuse({base::Errc::message_too_large, {}});
    return {head.size};
  }
  closes_ = !head.keep_alive || stopping_;

  if (whole) {
    handle(head, found, bytes.substr(head.size, head.content_length), owner);
    return {whole_size, 0, go_on()};
  }
  if (head.expects_continue && !continue_sent_ && bytes.size() == head.size) {
    connection_.send("HTTP/1.1 100 Continue\r\n\r\n");
    continue_sent_ = true;
  }
  uint64_t expected = head.chunked ? body_size_max(head, found) : head.content_length;
  if (phase_ != Phase::body)
    enter(Phase::body, door_.options().body_time_max +
                           std::chrono::seconds(expected / body_bytes_per_second_min));
  if (!head.chunked) return {0, whole_size};
  gathered_ = std::make_unique<Gathered>(body_size_max(head, found));
  gathered_->text = bytes.substr(0, head.size);
  gathered_->head_size = head.size;
  return {head.size, 0, true};
}

HttpSession::Step HttpSession::gather(BytesView bytes) {
  ChunkedBody::Progress progress = gathered_->body.read(bytes, gathered_->text);
  switch (progress.state) {
    case ChunkedBody::State::unfinished:
      return {progress.consumed};
    case ChunkedBody::State::malformed:
      gathered_.reset();
      refuse_connection(400, {base::Errc::protocol_error, "the body's chunks"});
      return {progress.consumed};
    case ChunkedBody::State::too_large:
      gathered_.reset();
      refuse_connection(413, {base::Errc::message_too_large, {}});
      return {progress.consumed};
    case ChunkedBody::State::finished:
      break;
  }
  std::unique_ptr<Gathered> whole = std::move(gathered_);
  BytesView text = whole->text;
  // Read before, so it can be read again.
  RequestHead head =
      *parse_head(text.substr(0, whole->head_size), door_.options().header_count_max);
  closes_ = !head.keep_alive || stopping_;
  handle(head, match(head.method, head.path), text.substr(whole->head_size), nullptr);
  return {progress.consumed, 0, go_on()};
}

// After a request: may the next one be read now?
bool HttpSession::go_on() {
  bool held_back = std::exchange(held_back_, false);
  if (held_back || connection_.ending() || !exchange_.answered()) return false;
  if (!connection_.is_behind()) return true;
  // It asks and does not read the answers: its next request waits.
  connection_.hold_back();
  return false;
}

uint64_t HttpSession::body_size_max(const RequestHead& head, const Match& found) const {
  const HttpOptions& options = door_.options();
  uint64_t json = 2 * options.message_bytes_max + json_overhead;
  if (!found.route) return json;
  bool lines = same_token(media_type(head.content_type), lines_type);
  switch (found.route->body) {
    case Body::none:
    case Body::json:
      return json;
    case Body::message:
      return options.message_bytes_max;
    case Body::message_or_lines:
      return lines ? options.batch_bytes_max : options.message_bytes_max;
    case Body::json_or_lines:
      return lines ? options.batch_bytes_max : json;
  }
  return json;
}

// --- Who may ask, and for what.

bool HttpSession::turn_away(const RequestHead& head, const Match& found) {
  auto refuse = [&](const base::Error& error, int status, BytesView fields = {}) {
    exchange_.begin(head, found, {}, nullptr);
    exchange_.refuse(error, status, fields);
    return true;
  };
  if (head.method == Method::options && (head.path == "*" || !found.allowed.empty())) {
    answer_options(head, found);
    return true;
  }
  if (!found.route && (found.allowed.empty() || head.path == "*")) {
    exchange_.begin(head, found, {}, nullptr);
    exchange_.refuse_route(base::Errc::unknown_request, {});
    return true;
  }
  if (!found.route) {
    exchange_.begin(head, found, {}, nullptr);
    exchange_.refuse_route(base::Errc::method_not_allowed, "Allow: " + found.allowed + "\r\n");
    return true;
  }
  if (!found.route->open && !admits(head))
    return refuse({base::Errc::unauthorized, {}}, 401,
                  "WWW-Authenticate: Basic realm=\"tram\", charset=\"UTF-8\"\r\n"
                  "WWW-Authenticate: Bearer\r\n");
  if (comes_from_elsewhere(head))
    return refuse({base::Errc::invalid_argument,
                   "Origin: pages of another site may not use this broker unless it allows them"},
                  403);
  if (found.route->body == Body::none && (head.content_length > 0 || head.chunked))
    return refuse({base::Errc::invalid_argument, "this request takes no body"}, 400);
  return false;
}

bool HttpSession::admits(const RequestHead& head) const {
  const Access& access = door_.shared().access;
  if (!access.required()) return true;
  BytesView said = head.authorization;
  if (starts_with_token(said, "bearer ")) return access.admits({}, {}, said.substr(7));
  if (!starts_with_token(said, "basic ")) return false;
  std::optional<std::string> pair = api::decode_base64(said.substr(6));
  if (!pair) return false;
  size_t colon = pair->find(':');
  if (colon == std::string::npos) return false;
  BytesView both = *pair;
  return access.admits(both.substr(0, colon), both.substr(colon + 1), {});
}

// A browser sends Origin for pages; this broker's own pages have its own host there. Without this
// any web page could put messages into a broker on its reader's machine.
bool HttpSession::comes_from_elsewhere(const RequestHead& head) const {
  const std::string& allowed = door_.options().allowed_origin;
  if (head.origin.empty() || allowed == "*" || head.origin == allowed) return false;
  bool reads_only = head.method == Method::get || head.method == Method::head;
  if (reads_only && !head.upgrades_to_websocket) return false;
  size_t host = head.origin.find("://");
  return host == BytesView::npos || !same_token(head.origin.substr(host + 3), head.host);
}

void HttpSession::answer_options(const RequestHead& head, const Match& found) {
  exchange_.begin(head, found, {}, nullptr);
  exchange_.place_ = place_of_options();
  std::string allowed = head.path == "*" ? "OPTIONS, DELETE, GET, HEAD, POST" : found.allowed;
  std::string fields = "Allow: " + allowed + "\r\n";
  if (!head.origin.empty() && !door_.options().allowed_origin.empty()) {
    fields += "Access-Control-Allow-Methods: " + allowed + "\r\nAccess-Control-Max-Age: 600\r\n";
    for (FieldLines lines(head.fields); lines.next();)
      if (same_token(lines.name(), "access-control-request-headers"))
        fields.append("Access-Control-Allow-Headers: ").append(lines.value()).append("\r\n");
  }
  exchange_.answer({204, {}, {}, fields});
}

// --- Handling.

void HttpSession::handle(const RequestHead& head, const Match& found, BytesView body,
                         const SharedBytes* owner) {
  exchange_.begin(head, found, body, owner);
  continue_sent_ = false;
  phase_ = Phase::answering;
  deadline_ = base::Time::never();
  in_handler_ = true;
  found.route->handle(exchange_);
  in_handler_ = false;
  if (exchange_.answered()) return;
  exchange_.forget_texts();
  TRAM_ASSERT(exchange_.handler_ != nullptr);
  paused_ = true;
  connection_.pause();
}

// The exchange has been answered, in its handler or later.
void HttpSession::answered() {
  if (stream_) {
    phase_ = Phase::streaming;
    deadline_ = base::Time::never();
  } else if (closes_) {
    connection_.close();
  } else {
    enter(Phase::idle, door_.options().idle_time_max);
  }
  continue_sent_ = false;
  if (!paused_) return;
  paused_ = false;
  connection_.resume();
}

void HttpSession::on_reply(broker::Ticket ticket, broker::Reply& reply) {
  if (stream_) {
    stream_->on_reply(ticket, reply);
    return;
  }
  // Whatever has been given up was given up with its caller, so nothing comes too late.
  bool awaited = !exchange_.answered() && exchange_.handler_ != nullptr &&
                 ticket.value >> 32 == exchange_.number_;
  TRAM_ASSERT(awaited, ticket.value);
  exchange_.handler_->on_reply(exchange_, static_cast<uint32_t>(ticket.value), reply);
  if (exchange_.answered() && !in_handler_) exchange_.own_handler_.reset();
}

// For requests that cannot be read on: nothing behind them means anything.
void HttpSession::refuse_connection(int status, const base::Error& error) {
  RequestHead unreadable;
  unreadable.keep_alive = false;
  closes_ = true;
  const Match nothing;
  exchange_.begin(unreadable, nothing, {}, nullptr);
  exchange_.manners_ = Manners::tram;
  exchange_.refuse(error, status);
}

// --- Time, and the end.

// The timer is moved only to fire earlier: a connection that is busy costs nothing here, and one
// that fires too early looks again when its time has come.
void HttpSession::enter(Phase phase, base::Duration limit) {
  phase_ = phase;
  deadline_ = door_.loop().now() + limit;
  if (!timer_.running() || timer_.deadline() > deadline_)
    door_.loop().timers().start(timer_, deadline_);
}

void HttpSession::on_deadline() {
  if (deadline_ == base::Time::never() || connection_.ending()) return;
  if (deadline_ > door_.loop().now()) {
    door_.loop().timers().start(timer_, deadline_);
    return;
  }
  gathered_.reset();
  if (phase_ == Phase::idle)
    connection_.close();
  else
    refuse_connection(
        408, {base::Errc::timed_out, phase_ == Phase::head ? "the request's headers did not come"
                                                           : "the request's body did not come"});
}

// Who waits for others' messages does not do so for a peer that has gone, or has said all that it
// will say: from here the two look the same.
bool HttpSession::on_end() {
  if (stream_ || exchange_.answered()) return false;
  if (!exchange_.handler_->is_patient()) return true;
  abandon();
  return false;
}

// What waits for the broker is forgotten there, and what it held goes back: in this order, or what
// goes back would come straight to the one who waits.
void HttpSession::abandon() {
  if (caller_) door_.engine().depart(caller_);
  caller_ = {};
  exchange_.handler_ = nullptr;
  exchange_.own_handler_.reset();
}

void HttpSession::on_stop() {
  stopping_ = true;
  closes_ = true;
  if (stream_) return stream_->on_stop();
  if (exchange_.answered()) return connection_.close(net::CloseReason::stopping);
  if (exchange_.handler_ == nullptr || !exchange_.handler_->is_patient()) return;
  exchange_.handler_->on_stop(exchange_);
  abandon();
}

}  // namespace tram::protocols::http
