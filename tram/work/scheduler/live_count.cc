#include "tram/work/scheduler/live_count.h"

namespace tram::work {
namespace {

constexpr int64_t credits_taken = 32;
constexpr int64_t credits_held_max = 64;

struct Purse {
  LiveCount* of = nullptr;
  int64_t credits = 0;
  bool allowed = false;
};
thread_local constinit Purse purse;

}  // namespace

void LiveCount::add() {
  if (!purse.allowed) {
    count_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  focus();
  purse.of = this;
  if (purse.credits == 0) {
    count_.fetch_add(credits_taken, std::memory_order_relaxed);
    purse.credits = credits_taken;
  }
  --purse.credits;
}

void LiveCount::remove() {
  if (!purse.allowed) {
    subtract(1);
    return;
  }
  focus();
  purse.of = this;
  if (++purse.credits < credits_held_max) return;
  purse.credits -= credits_taken;
  subtract(credits_taken);
}

void LiveCount::focus() {
  if (purse.of != this && purse.of != nullptr) settle();
}

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
