#include "tram/work/queues/moment.h"

#include <thread>

namespace tram::work {

bool looking_again_pays() {
  static const bool pays = std::thread::hardware_concurrency() > 1;
  return pays;
}

}  // namespace tram::work
