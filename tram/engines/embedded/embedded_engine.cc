#include "tram/engines/embedded/embedded_engine.h"

#include "tram/base/assert.h"

namespace tram::engines::embedded {

EmbeddedEngine::EmbeddedEngine(std::span<net::Loop* const> loops, const broker::Limits& limits,
                               size_t in_flight_max) {
  TRAM_ASSERT(!loops.empty() && loops.size() <= loops_max, loops.size());
  std::vector<LoopEngine*> all;
  for (net::Loop* loop : loops) {
    auto index = static_cast<uint32_t>(engines_.size());
    engines_.push_back(std::make_unique<LoopEngine>(index, *loop, limits, in_flight_max));
    all.push_back(engines_.back().get());
  }
  for (LoopEngine* engine : all) engine->connect(all);
}

}  // namespace tram::engines::embedded
