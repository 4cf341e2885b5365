// Queues, over any client's connection: requests to $TRAM.* that a Tram broker answers.
//
//   Queues queues(*client);
//   queues.put("jobs", "{\"id\":1}");
//   auto taken = queues.take("jobs", {.wait = 30s});
//   if (taken && !taken->empty()) { work(taken->front().payload); queues.ack(taken->front()); }
//
// Every call here that returns a Result waits for the broker's answer (it "reads", as
// client.h has it), except those named `..._later`. A server that is not a Tram broker gives
// no_responders. All errors that the broker names come back with its code and its words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tram/base/result.h"
#include "tram/client/client.h"

namespace tram::client {

struct PutReply {
  uint64_t id = 0;
  std::string queue;
  std::string durability;  // the level that was reached: memory, os, disk, replicated
  bool duplicate = false;
};

// A message that was taken from a queue. It owns its bytes.
struct Delivery {
  uint64_t id = 0;
  std::string queue;
  uint64_t attempt = 0;
  std::string lease;    // the lease's token; empty after `get`
  base::Bytes headers;  // the whole block, Tram-* included
  base::Bytes payload;
  std::string answer_to;  // where ack, release and extend go
};

struct TakeOptions {
  uint64_t n = 1;
  base::Duration wait = {};  // for the first message
  base::Duration lease = std::chrono::seconds(30);
  base::Duration linger = {};  // for the rest, once there is one
};

struct QueueInfo {
  std::string name;
  uint64_t ready = 0;
  uint64_t leased = 0;
  uint64_t bytes = 0;
  uint64_t waiting_takers = 0;
  uint64_t puts = 0;
  uint64_t deliveries = 0;
  base::Duration oldest_ready_age;
};

struct BrokerInfo {
  std::string name;
  std::string version;
  base::Duration uptime;
};

using PutHandler = std::function<void(const base::Result<PutReply>&)>;
// Told "done" with nothing, or why not.
using AnswerHandler = std::function<void(const base::Result<>&)>;

class Queues {
 public:
  // `timeout` is how long an answer may take, on top of any waiting that was asked for.
  explicit Queues(Client& client, base::Duration timeout = std::chrono::seconds(5))
      : client_(client), timeout_(timeout) {}

  // `headers` is a whole block (Headers::block), kept with the message.
  base::Result<PutReply> put(std::string_view queue, base::BytesView body,
                             base::BytesView headers = {});
  // For many at once: the handler is told during later calls that read.
  base::Result<> put_later(std::string_view queue, base::BytesView body, base::BytesView headers,
                           PutHandler handler);
  // Takes and acknowledges at once: what is lost on the way is lost.
  base::Result<std::optional<Delivery>> get(std::string_view queue, base::Duration wait = {});
  // Up to n messages, leased; empty if none came in time.
  base::Result<std::vector<Delivery>> take(std::string_view queue, const TakeOptions& options);

  // Errors of all of these: lease_ended, when it is somebody else's by now.
  base::Result<> ack(const Delivery& delivery) { return answer(delivery, "+ACK"); }
  base::Result<> release(const Delivery& delivery) { return answer(delivery, "-NAK"); }
  base::Result<> extend(const Delivery& delivery) { return answer(delivery, "+WPI"); }
  base::Result<> terminate(const Delivery& delivery) { return answer(delivery, "+TERM"); }
  base::Result<> ack_later(const Delivery& delivery, AnswerHandler handler);

  base::Result<std::vector<QueueInfo>> list();
  base::Result<QueueInfo> show(std::string_view queue);
  // Both return how many messages went.
  base::Result<uint64_t> remove(std::string_view queue);
  base::Result<uint64_t> purge(std::string_view queue);
  base::Result<BrokerInfo> broker();

  Client& client() { return client_; }

 private:
  base::Result<> answer(const Delivery& delivery, base::BytesView word);
  base::Result<Message> ask(const std::string& subject, base::BytesView body,
                            base::Duration timeout, base::BytesView headers = {});

  Client& client_;
  base::Duration timeout_;
};

}  // namespace tram::client
