#include "tram/work/batch/flush_rule.h"

#include <algorithm>

namespace tram::work {

std::string_view name_of(FlushReason reason) {
  switch (reason) {
#define TRAM_FLUSH_REASON_NAME(name, sentence) \
  case FlushReason::name:                      \
    return #name;
    TRAM_FLUSH_REASONS(TRAM_FLUSH_REASON_NAME)
#undef TRAM_FLUSH_REASON_NAME
  }
  return "unknown";
}

std::string_view sentence_of(FlushReason reason) {
  switch (reason) {
#define TRAM_FLUSH_REASON_SENTENCE(name, sentence) \
  case FlushReason::name:                          \
    return sentence;
    TRAM_FLUSH_REASONS(TRAM_FLUSH_REASON_SENTENCE)
#undef TRAM_FLUSH_REASON_SENTENCE
  }
  return "for an unknown reason";
}

base::Duration FlushRule::slot_patience(base::Duration service) const {
  if (slot_wait) return *slot_wait;
  if (service == base::Duration()) return base::Duration::forever();
  return std::max(service, slot_wait_min);
}

base::Duration FlushRule::patience(base::Duration service) const {
  switch (flush) {
    case Flush::when_idle:
    case Flush::only_idle:
      return std::min(max_wait, slot_patience(service));
    case Flush::timed:
      return max_wait;
    case Flush::by_size:
    case Flush::manual:
      break;
  }
  return base::Duration::forever();
}

bool FlushRule::due(const Waiting& waiting) const {
  if (waiting.items == 0) return false;
  if (waiting.closed || waiting.asked) return true;
  if (flush == Flush::manual || flush == Flush::only_idle) return false;
  return waiting.items >= max_items || (max_weight != 0 && waiting.weight >= max_weight);
}

std::optional<FlushReason> FlushRule::reason(const Waiting& waiting, bool idle,
                                             base::Duration service, base::Time now) const {
  if (due(waiting)) {
    if (waiting.closed) return FlushReason::closed;
    if (waiting.asked) return waiting.asked;
    return waiting.items >= max_items ? FlushReason::items : FlushReason::weight;
  }
  if (waiting.items == 0) return std::nullopt;
  if (looks_at_idle() && idle) return FlushReason::idle;
  if (now < waiting.first + patience(service)) return std::nullopt;
  if (looks_at_idle() && slot_patience(service) < max_wait) return FlushReason::slot;
  return FlushReason::wait;
}

}  // namespace tram::work
