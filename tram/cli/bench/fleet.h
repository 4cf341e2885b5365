// Many clients in one thread: whoever has something to read or room to write gets its turn.
//
// One thread on purpose: the broker under test needs the other cores, and one thread of this
// client keeps ahead of any broker we know.
#pragma once

#include <memory>
#include <vector>

#include "tram/base/result.h"
#include "tram/client/client.h"

namespace tram::cli::bench {

class Fleet {
 public:
  Fleet(const client::Options& options, const base::Clock& clock);
  ~Fleet();
  Fleet(const Fleet&) = delete;

  // Connects one more. The client stays the fleet's.
  base::Result<client::Client*> add();

  // Waits until somebody can read or write, or the time is over, and serves all who can.
  // Errors: those of any client, and cancelled.
  base::Result<> turn(base::Duration wait);
  // Every client's flush: what was written before has been seen by the server.
  base::Result<> flush();

 private:
  base::Result<> serve(size_t index);
  void watch(size_t index, bool for_write, bool first);

  client::Options options_;
  const base::Clock& clock_;
  int epoll_ = -1;
  struct Member {
    std::unique_ptr<client::Client> client;
    bool watched_for_write = false;
  };
  std::vector<Member> members_;
};

}  // namespace tram::cli::bench
