// What the HTTP doors of all loops share: made by the server, and outliving them.
//
// Threads: everything here is used from every loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "tram/base/log_line.h"
#include "tram/broker/mailbox_id.h"
#include "tram/broker/reply.h"
#include "tram/protocols/access.h"
#include "tram/protocols/http/async_workers.h"

namespace tram::protocols::http {

// Writes the page of /metrics.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // Prometheus text format 0.0.4, with lines for these queues.
  virtual std::string metrics_text(const std::vector<broker::QueueInfo>& queues) = 0;
};

struct HttpShared {
  const Access& access;
  MetricsSource& metrics;
  base::LogSink& log;
  // Where /api/publish/async leaves its work. Must be stopped before any loop's door dies.
  AsyncWorkers& publishers;
  // 128 bits that nobody can guess (random_id.h): a mailbox is read by whoever knows its id.
  std::function<broker::MailboxId()> draw_id;
  std::string version;  // Of the program.
  // Set when the program is about to stop: /readyz then says so.
  std::atomic<bool> stopping = false;
};

}  // namespace tram::protocols::http
