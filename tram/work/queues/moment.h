// For who is about to sleep until another thread does something: a short look whether it is just
// being done. Being woken takes about twenty microseconds, of which others pay several.
#pragma once

#include <thread>

#include "tram/work/scheduler/short_mutex.h"

namespace tram::work {

// False where it would keep the only processor from whoever is waited for.
bool looking_again_pays();

// Looks again and again whether something is `there`, for a few microseconds: ever more seldom,
// since who looks takes what it looks at out of the other processor's cache. Then gives way a few
// times, in case whoever is waited for has no processor: with more threads than processors, that
// saves two wake-ups for each time that a queue is full, or empty.
template <class There>
bool wait_a_moment(There&& there) {
  constexpr int pauses_max = 32;
  constexpr int yields_max = 3;
  if (!looking_again_pays()) return false;
  for (int pauses = 1; pauses <= pauses_max; pauses *= 2) {
    for (int i = 0; i < pauses; ++i) pause_briefly();
    if (there()) return true;
  }
  for (int i = 0; i < yields_max; ++i) {
    std::this_thread::yield();
    if (there()) return true;
  }
  return false;
}

}  // namespace tram::work
