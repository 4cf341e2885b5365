// One pattern and who subscribed with it: a row of the router's table.
//
// Most rows are literal subjects with one plain subscription, and there may be 100,000 of
// them: such a row is one allocation of 32 bytes and its text.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "tram/base/intrusive_list.h"
#include "tram/broker/subject.h"
#include "tram/broker/subscription_list.h"

namespace tram::broker {

struct PatternNode;
struct PatternEntry;

// A name that groups of several patterns may share, in which case they are one group for a
// message that matches them all.
struct GroupName {
  Bytes name;
  uint32_t groups = 0;  // With this name.

  // While a message is routed: which message that is, and where its group stands in line.
  uint64_t routed = 0;
  uint32_t candidate = 0;
};

struct PatternGroup;

struct GroupMember : base::Link<> {
  SubscriptionId id;
  PatternGroup* group = nullptr;
  uint64_t served = 0;  // The turn at which it was last chosen; joining counts as being chosen.
};

// The members of one group that subscribed with one pattern.
struct PatternGroup {
  PatternEntry* entry = nullptr;
  GroupName* name = nullptr;
  size_t place = 0;                          // In the entry's groups.
  base::IntrusiveList<GroupMember> members;  // Whoever was served longest ago in front.
};

// What only patterns with groups or wildcards need.
struct PatternExtras : base::Link<struct DeepLink> {
  PatternEntry* entry = nullptr;
  std::vector<PatternGroup*> groups;
  PatternNode* node = nullptr;  // Where a pattern with wildcards hangs in the trie.
  uint32_t checked_size = 0;    // How much of a deep pattern the way to its node has checked.
};

struct PatternEntry {
  uint32_t pattern_size = 0;
  SubscriptionList plain;
  std::unique_ptr<PatternExtras> extras;

  static PatternEntry* create(BytesView pattern) {
    void* memory = ::operator new(sizeof(PatternEntry) + pattern.size());
    auto* entry = new (memory) PatternEntry;
    entry->pattern_size = static_cast<uint32_t>(pattern.size());
    std::memcpy(static_cast<void*>(entry + 1), pattern.data(), pattern.size());
    return entry;
  }
  static void destroy(PatternEntry* entry) {
    entry->~PatternEntry();
    ::operator delete(entry);
  }

  BytesView pattern() const { return {reinterpret_cast<const char*>(this + 1), pattern_size}; }
  bool has_groups() const { return extras && !extras->groups.empty(); }
  bool unused() const { return plain.empty() && !has_groups(); }
  PatternExtras& make_extras() {
    if (!extras) {
      extras = std::make_unique<PatternExtras>();
      extras->entry = this;
    }
    return *extras;
  }
};

}  // namespace tram::broker
