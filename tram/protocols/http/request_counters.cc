#include "tram/protocols/http/request_counters.h"

#include "tram/base/assert.h"
#include "tram/protocols/http/router.h"

namespace tram::protocols::http {

RequestCounters::~RequestCounters() {
  for (auto& of_route : cells_)
    for (std::atomic<Cell*>& cell : of_route) delete cell.load(std::memory_order_relaxed);
}

void RequestCounters::record(size_t route, int status, base::Duration took) {
  TRAM_ASSERT(route < routes_max, route);
  size_t place = 0;
  while (place + 1 < statuses.size() && statuses[place] != status) ++place;
  std::atomic<Cell*>& slot = cells_[route][place];
  Cell* cell = slot.load(std::memory_order_relaxed);
  if (cell == nullptr) {
    cell = new Cell;
    slot.store(cell, std::memory_order_release);
  }
  cell->count.add();
  cell->latency.observe(took);
}

void RequestCounters::each(
    const std::function<void(std::string_view route, int status, const Cell&)>& see) const {
  for (size_t route = 0; route < routes_max; ++route)
    for (size_t place = 0; place < statuses.size(); ++place)
      if (const Cell* cell = cells_[route][place].load(std::memory_order_acquire))
        see(name_of_route(route), statuses[place], *cell);
}

}  // namespace tram::protocols::http
