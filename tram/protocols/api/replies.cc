#include "tram/protocols/api/replies.h"

namespace tram::protocols::api {

namespace {

void append_member(std::string& to, std::string_view name, uint64_t value) {
  to.append(",\"").append(name).append("\":");
  append_json_number(to, value);
}

}  // namespace

void append_error_json(std::string& to, const base::Error& error) {
  to.append(R"({"error":{"code":")").append(base::name_of(error.code)).append(R"(","message":)");
  append_json_string(to, error.text());
  to += "}}";
}

void append_stored_json(std::string& to, BytesView queue, const broker::Stored& stored) {
  to += R"({"id":)";
  append_json_number(to, stored.id.value);
  to += R"(,"queue":)";
  append_json_string(to, queue);
  to.append(R"(,"durability":")").append(broker::name_of(stored.reached));
  to.append(R"(","duplicate":)").append(stored.duplicate ? "true}" : "false}");
}

void append_queue_json(std::string& to, const broker::QueueInfo& queue) {
  to += R"({"name":)";
  append_json_string(to, queue.name);
  append_member(to, "ready", queue.ready);
  append_member(to, "leased", queue.leased);
  append_member(to, "bytes", queue.bytes);
  append_member(to, "waiting_takers", queue.waiting_takers);
  append_member(to, "puts", queue.puts);
  append_member(to, "deliveries", queue.deliveries);
  append_member(to, "redeliveries", queue.redeliveries);
  append_member(to, "acks", queue.acks);
  append_member(to, "oldest_ready_age_ms",
                static_cast<uint64_t>(queue.oldest_ready_age.milliseconds()));
  to += '}';
}

std::string error_json(const base::Error& error) {
  std::string text;
  append_error_json(text, error);
  return text;
}

std::string stored_json(BytesView queue, const broker::Stored& stored) {
  std::string text;
  append_stored_json(text, queue, stored);
  return text;
}

std::string done_json(const broker::Done& done) {
  std::string text = R"({"ok":true)";
  append_member(text, "count", done.count);
  text += '}';
  return text;
}

std::string queue_json(const broker::QueueInfo& queue) {
  std::string text;
  append_queue_json(text, queue);
  return text;
}

std::string queues_json(const broker::QueueList& list) {
  std::string text = R"({"queues":[)";
  for (const broker::QueueInfo& queue : list.queues) {
    if (text.back() != '[') text += ',';
    append_queue_json(text, queue);
  }
  text += "]}";
  return text;
}

}  // namespace tram::protocols::api
