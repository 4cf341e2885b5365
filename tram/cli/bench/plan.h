// What a bench is asked to do, and what one round of it found.
#pragma once

#include <string>
#include <vector>

#include "tram/base/time.h"
#include "tram/client/client.h"
#include "tram/client/histogram.h"

namespace tram::cli::bench {

struct Plan {
  std::string kind;               // pub, pubsub, fanout, request, put, queue
  uint64_t messages = 1'000'000;  // published, asked or put per round, by all together
  uint64_t size = 16;
  uint64_t publishers = 1;
  uint64_t subscribers = 1;
  uint64_t clients = 1;  // who ask or put
  uint64_t window = 1;   // in flight per client
  uint64_t rounds = 1;
  std::string subject;
  std::string group;
  bool pairs = false;                                   // each publisher has subscribers of its own
  uint64_t server_pid = 0;                              // 0: unknown
  base::Duration stall_max = std::chrono::seconds(10);  // no progress for so long ends a round
  client::Options options;
};

struct Outcome {
  uint64_t sent = 0;
  uint64_t delivered = 0;  // to all subscribers; replies, for request and put
  base::Duration took;
  double server_cpu_seconds = -1;  // -1: unknown
  uint64_t server_memory_bytes = 0;
  client::Histogram latency;  // empty where nothing is asked
  // What was wrong with the delivery, in sentences; empty if all is as promised.
  std::vector<std::string> problems;

  double per_second() const {
    return static_cast<double>(std::max(sent, delivered)) / std::max(took.seconds(), 1e-9);
  }
  double server_cpu_per_million() const {
    return server_cpu_seconds * 1e6 /
           static_cast<double>(std::max<uint64_t>(1, std::max(sent, delivered)));
  }
};

}  // namespace tram::cli::bench
