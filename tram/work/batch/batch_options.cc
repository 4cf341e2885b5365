#include "tram/work/batch/batch_options.h"

#include <algorithm>
#include <limits>

namespace tram::work {

BatchCore::Settings check_settings(PlainBatchOptions options) {
  auto wrong = [&](std::string what) {
    throw Failure(
        Error(Errc::invalid_argument, std::move(what)).in(options.name, std::source_location()));
  };
  uint64_t max_items = 0;
  std::optional<BatchSizeClimb> climb;
  if (const auto* found = std::get_if<BatchSizeClimb::Options>(&options.size.options)) {
    auto made = BatchSizeClimb::make(*found);
    if (!made) wrong("max_items: " + std::string(made.error().detail()));
    climb = *made;
    max_items = found->max;
  } else {
    max_items = std::get<uint64_t>(options.size.options);
  }
  if (max_items == 0) wrong("max_items must be at least 1");
  if (options.waiting_max == 0) wrong("waiting_max must be at least 1");
  if (options.max_wait < base::Duration()) wrong("max_wait must not be negative");
  if (options.slot_wait && *options.slot_wait < base::Duration())
    wrong("slot_wait must not be negative");
  if (options.weighs && options.max_weight == 0) wrong("weight needs a max_weight");
  if (!options.weighs && options.max_weight != 0) wrong("max_weight needs a weight function");
  if (options.max_weight >= std::numeric_limits<uint64_t>::max() / options.waiting_max)
    wrong("max_weight times waiting_max must fit into 64 bits");
  if (options.dedup && !options.can_hash) wrong("dedup needs std::hash and == of the key");
  if (options.caches && !options.can_hash) wrong("a cache needs std::hash and == of the key");
  if (options.dedup && !options.can_copy) wrong("dedup needs a value that can be copied");
  auto inflight = LimitController::make(options.inflight.options);
  if (!inflight) wrong("inflight: " + std::string(inflight.error().detail()));
  if (options.inflight.thin_max == 0) wrong("inflight: thin_max must be at least 1");
  // More could never be paid for.
  if (options.limit != nullptr && options.limit_counts == LimitCounts::items)
    max_items = std::min(max_items, options.limit->burst());
  return {.name = std::move(options.name),
          .rule = {.flush = options.flush,
                   .max_items = max_items,
                   .max_weight = options.max_weight,
                   .max_wait = options.max_wait,
                   .slot_wait = options.slot_wait},
          .climb = std::move(climb),
          .inflight = std::move(*inflight),
          .thin_max = options.inflight.thin_max,
          .waiting_max = options.waiting_max,
          .limit = options.limit,
          .limit_counts = options.limit_counts,
          .dedup = options.dedup};
}

}  // namespace tram::work
