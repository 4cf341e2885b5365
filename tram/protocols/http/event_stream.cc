#include "tram/protocols/http/event_stream.h"

#include "tram/protocols/api/json_text.h"
#include "tram/protocols/http/door.h"

namespace tram::protocols::http {

EventStream::EventStream(HttpDoor& door, net::Connection& connection, SlowPolicy policy)
    : door_(door),
      connection_(connection),
      subscriptions_(door.engine(), *this, door.options().subscriptions_max),
      heartbeat_([this] { beat(); }),
      policy_(policy) {}

void EventStream::start() {
  started_ = true;
  connection_.send(early_);
  early_ = std::string();
  door_.loop().start(heartbeat_, door_.options().heartbeat);
}

broker::Receipt EventStream::on_message(uint64_t, const broker::Publication& publication) {
  if (started_ ? !has_room(connection_, door_, policy_) : early_.size() > early_size_max) {
    if (!started_) door_.count().dropped.add();
    // Whoever has no room, or is on the way out, is no reason to go on: others would be flooded.
    return started_ ? broker::Receipt::behind : broker::Receipt::taken;
  }
  std::string event = "id: ";
  api::append_json_number(event, ++number_);
  event += "\ndata: ";
  append_publication_json(event, publication);
  event += "\n\n";
  door_.count().messages_out.add();
  door_.count().bytes_out.add(publication.payload.size());
  if (!started_) {
    early_ += event;
    return broker::Receipt::taken;
  }
  connection_.send(event);
  return connection_.is_behind() ? broker::Receipt::behind : broker::Receipt::taken;
}

// So that both sides, and what is between them, know that the other is there.
void EventStream::beat() {
  if (connection_.ending()) return;
  if (connection_.pending() == 0) connection_.send(":\n\n");
  door_.loop().start(heartbeat_, door_.options().heartbeat);
}

}  // namespace tram::protocols::http
