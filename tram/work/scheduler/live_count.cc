#include "tram/work/scheduler/live_count.h"

namespace tram::work {

void LiveCount::settle() {
  LiveCount* count = purse.of;
  int64_t credits = purse.credits;
  purse.of = nullptr;
  purse.credits = 0;
  if (credits != 0) count->subtract(credits);
}

void LiveCount::hold_credits(bool may) {
  settle();
  purse.allowed = may;
}

}  // namespace tram::work
