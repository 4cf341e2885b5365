#include "tram/protocols/http/websocket.h"

#include "tram/protocols/api/replies.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/websocket_request.h"

namespace tram::protocols::http {

namespace {

constexpr size_t early_size_max = size_t{1} << 20;
// Subscribes that wait to be known everywhere. More at once is nobody's use.
constexpr size_t awaited_max = 1000;

uint64_t frame_size_max(const HttpOptions& options) {
  return 2 * options.message_bytes_max + (64 << 10);
}

}  // namespace

WebSocket::WebSocket(HttpDoor& door, net::Connection& connection, broker::CallerId caller,
                     SlowPolicy policy)
    : door_(door),
      connection_(connection),
      caller_(caller),
      subscriptions_(door.engine(), *this, door.options().subscriptions_max),
      frames_(frame_size_max(door.options())),
      heartbeat_([this] { beat(); }),
      policy_(policy) {}

void WebSocket::start() {
  started_ = true;
  connection_.send(early_);
  early_ = std::string();
  door_.loop().start(heartbeat_, door_.options().heartbeat);
}

// --- Out.

broker::Receipt WebSocket::on_message(uint64_t, const broker::Publication& publication) {
  if (started_ ? !has_room(connection_, door_, policy_) : early_.size() > early_size_max) {
    if (!started_) door_.count().dropped.add();
    // Whoever has no room, or is on the way out, is no reason to go on: others would be flooded.
    return started_ ? broker::Receipt::behind : broker::Receipt::taken;
  }
  std::string json = R"({"message":)";
  append_publication_json(json, publication);
  json += '}';
  door_.count().messages_out.add();
  door_.count().bytes_out.add(publication.payload.size());
  send_text(json);
  return connection_.is_behind() ? broker::Receipt::behind : broker::Receipt::taken;
}

void WebSocket::send_text(BytesView json) { send_frame(Opcode::text, json); }

void WebSocket::send_frame(Opcode opcode, BytesView payload) {
  if (!started_) return append_frame(early_, opcode, payload);
  std::string frame;
  append_frame(frame, opcode, payload);
  connection_.send(frame);
}

void WebSocket::close(uint16_t code, net::CloseReason reason) {
  if (connection_.ending()) return;
  std::string frame;
  append_close_frame(frame, code);
  connection_.send(frame);
  connection_.close(reason);
}

// A peer that has not answered the ping before has gone, whatever TCP thinks.
void WebSocket::beat() {
  if (connection_.ending()) return;
  if (!answered_ping_) return connection_.abort(net::CloseReason::lost);
  answered_ping_ = false;
  send_frame(Opcode::ping, {});
  door_.loop().start(heartbeat_, door_.options().heartbeat);
}

// --- In.

net::Session::Progress WebSocket::on_bytes(BytesView bytes) {
  size_t at = 0;
  while (!connection_.ending()) {
    FrameReader::Event event = frames_.read(bytes.substr(at));
    if (event.kind == FrameReader::Kind::unfinished) return {at, event.needed};
    at += event.consumed;
    answered_ping_ = true;  // Whoever speaks is there.
    take(event);
    if (std::exchange(held_back_, false)) return {at};
    if (connection_.is_behind()) {
      // It asks and does not read: what it says next waits.
      connection_.hold_back();
      return {at};
    }
  }
  return {at};
}

void WebSocket::take(const FrameReader::Event& event) {
  switch (event.kind) {
    case FrameReader::Kind::text:
      return take_text(event.payload);
    case FrameReader::Kind::ping:
      return send_frame(Opcode::pong, event.payload);
    case FrameReader::Kind::close:
    case FrameReader::Kind::broken:
      return close(event.code);
    case FrameReader::Kind::pong:
    case FrameReader::Kind::part:
    case FrameReader::Kind::unfinished:
      return;
  }
}

void WebSocket::take_text(BytesView text) {
  WebSocketRequest request;
  base::Result<> read = read_websocket_request(text, door_.options().message_bytes_max, request);
  if (!read) return answer(request.id, std::unexpected(read.error()));
  switch (request.verb) {
    case WebSocketRequest::Verb::publish:
      return answer(request.id, publish(request));
    case WebSocketRequest::Verb::unsubscribe:
      return answer(request.id, uint64_t{subscriptions_.remove(request.subject, request.group)});
    case WebSocketRequest::Verb::subscribe:
      break;
  }
  if (base::Result<> added = subscriptions_.add(request.subject, request.group); !added)
    return answer(request.id, std::unexpected(added.error()));
  if (!request.id) return;
  broker::Ticket ticket{++ticket_};
  if (awaited_.size() >= awaited_max || door_.engine().known_everywhere(caller_, ticket))
    return answer(request.id, uint64_t{1});
  awaited_.emplace(ticket.value, *request.id);
}

uint64_t WebSocket::publish(const WebSocketRequest& request) {
  BytesView payload = request.message.payload();
  door_.count().messages_in.add();
  door_.count().bytes_in.add(payload.size());
  broker::Engine::Reach reach = door_.engine().publish(
      {request.subject, request.reply_to, request.message.headers(), payload, nullptr});
  if (reach.hold_back) {
    held_back_ = true;
    connection_.hold_back();
  }
  return reach.receivers;
}

void WebSocket::on_reply(broker::Ticket ticket, broker::Reply&) {
  auto found = awaited_.find(ticket.value);
  if (found == awaited_.end()) return;
  uint64_t id = found->second;
  awaited_.erase(found);
  answer(id, uint64_t{1});
}

void WebSocket::answer(std::optional<uint64_t> id, base::Result<uint64_t> count) {
  if (connection_.ending() || (count && !id)) return;
  if (!count) door_.count().errors.add();
  std::string rest = count ? api::done_json({*count}) : api::error_json(count.error());
  if (!id) return send_text(rest);
  std::string json = R"({"id":)";
  api::append_json_number(json, *id);
  json += ',';
  json.append(rest, 1);
  send_text(json);
}

}  // namespace tram::protocols::http
