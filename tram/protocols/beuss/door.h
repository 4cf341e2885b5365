// The beuss door: two verbs on plain TCP, as the original's clients speak them.
// docs/protocols/beuss.md tells what is kept, and what is done better.
#pragma once

#include "tram/protocols/door.h"
#include "tram/protocols/log_throttle.h"

namespace tram::protocols::beuss {

struct BeussOptions {
  // The longest message, its 32 bytes of name included; a longer one is cut.
  size_t message_bytes_max = 102'400;
  // A message that may go on is complete once nothing has come for this long.
  base::Duration pause = std::chrono::milliseconds(5);
};

class BeussDoor final : public Door {
 public:
  BeussDoor(net::Loop& loop, broker::Engine& engine, const BeussOptions& options,
            base::LogSink& log);

  std::string_view name() const override { return "beuss"; }
  std::unique_ptr<net::Session> open(net::Connection& connection) override;
  std::string_view refusal() const override { return "KO"; }

  // Messages that were cut to the limit.
  const base::Counter& cuts() const { return cuts_; }
  // Times that GET found a message that beuss cannot carry: empty, or longer than the limit. It
  // stays in its queue, for other doors.
  const base::Counter& undeliverable() const { return undeliverable_; }

 private:
  friend class BeussSession;

  net::Loop& loop_;
  broker::Engine& engine_;
  const BeussOptions options_;
  base::Counter cuts_;
  base::Counter undeliverable_;
  LogThrottle cut_log_;
  LogThrottle undeliverable_log_;
};

}  // namespace tram::protocols::beuss
