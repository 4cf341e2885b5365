// The broker inside this program: one LoopEngine for each event loop, introduced to each other.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tram/engines/embedded/loop_engine.h"

namespace tram::engines::embedded {

class EmbeddedEngine {
 public:
  // One engine and one shard for each of `loops` (1 to `loops_max`), which outlive this. Make
  // it before the loops run, destroy it after they have stopped. `in_flight_max`: see LoopEngine;
  // keep it well below what a connection may have waiting, as all of it may be for one reader.
  EmbeddedEngine(std::span<net::Loop* const> loops, const broker::Limits& limits,
                 size_t in_flight_max = size_t{2} << 20);

  // The broker as loop number `loop` sees it.
  LoopEngine& on_loop(size_t loop) { return *engines_[loop]; }
  const LoopEngine& on_loop(size_t loop) const { return *engines_[loop]; }
  size_t size() const { return engines_.size(); }

 private:
  std::vector<std::unique_ptr<LoopEngine>> engines_;
};

}  // namespace tram::engines::embedded
