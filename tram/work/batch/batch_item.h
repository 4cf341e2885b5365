// One caller's wish, as the batcher's own parts see it.
//
// Its life: nowhere ──► in_batch ──► detached
//              ├───────────┴───────────┴────► left      the caller gave up
//              └──► refused
//
// Everything here is guarded by the batcher's lock, except that a call that has begun may walk its
// own items.
#pragma once

#include "tram/base/intrusive_list.h"
#include "tram/base/time.h"
#include "tram/work/units/unit_base.h"

namespace tram::work {

struct BatchCall;

struct BatchItem : base::Link<BatchItem> {
  enum class Place : uint8_t { nowhere, in_batch, detached, left, refused };

  UnitBase* unit = nullptr;    // nullptr: nobody waits for it.
  BatchCall* call = nullptr;   // That it is in; it may still gather.
  BatchItem* owner = nullptr;  // The one with the same key that stands for both in the batch.
  base::IntrusiveList<BatchItem, BatchItem> sharers;  // Of an owner.
  uint64_t weight = 1;
  base::Time deadline = base::Time::never();
  // It came then or later: the last time that the batcher has looked at the clock. Reading that for
  // each item would cost as much as all the rest of its way in.
  base::Time came;
  Place place = Place::nowhere;
  bool claimed = false;  // By its call, which gives it its result. The call's own.
};

}  // namespace tram::work
