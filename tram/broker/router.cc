#include "tram/broker/router.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "tram/broker/pattern_trie.h"

namespace tram::broker {

struct Router::Table {
  // Both by their text alone, or by what is in front of the text: an entry, or nothing.
  struct EntryHash {
    using is_transparent = void;
    using is_avalanching = void;
    uint64_t seed;
    size_t operator()(BytesView pattern) const { return hash_text(pattern, seed); }
    size_t operator()(const PatternEntry* entry) const { return (*this)(entry->pattern()); }
  };
  struct EntryEqual {
    using is_transparent = void;
    bool operator()(const PatternEntry* a, const PatternEntry* b) const { return a == b; }
    bool operator()(BytesView a, const PatternEntry* b) const { return a == b->pattern(); }
    bool operator()(const PatternEntry* a, BytesView b) const { return a->pattern() == b; }
  };
  struct NameHash {
    using is_transparent = void;
    using is_avalanching = void;
    uint64_t seed;
    size_t operator()(BytesView name) const { return hash_text(name, seed); }
    size_t operator()(const GroupName* name) const { return (*this)(name->name); }
  };
  struct NameEqual {
    using is_transparent = void;
    bool operator()(const GroupName* a, const GroupName* b) const { return a == b; }
    bool operator()(BytesView a, const GroupName* b) const { return a == b->name; }
    bool operator()(const GroupName* a, BytesView b) const { return a->name == b; }
  };
  using GroupKey = std::pair<const PatternEntry*, const GroupName*>;
  struct GroupHash {
    using is_avalanching = void;
    size_t operator()(const GroupKey& key) const {
      return fold(reinterpret_cast<uintptr_t>(key.first) ^ 0x9E3779B97F4A7C15ULL,
                  reinterpret_cast<uintptr_t>(key.second));
    }
  };

  Table()
      : seed(seed_from_address(this)),
        entries(0, EntryHash{seed}, EntryEqual{}),
        names(0, NameHash{seed}, NameEqual{}) {}
  ~Table();

  PatternEntry* find(BytesView pattern) const {
    auto found = entries.find(pattern);
    return found == entries.end() ? nullptr : *found;
  }
  PatternEntry& entry_made(BytesView pattern);
  void drop_if_unused(PatternEntry& entry);
  void join(SubscriptionId id, PatternEntry& entry, BytesView group);
  bool leave(SubscriptionId id, const PatternEntry& entry, BytesView group);
  PatternGroup& group_made(PatternEntry& entry, BytesView group);
  void drop_group(PatternGroup& group);

  void choose_members(const PassedOver* passed_over);
  SubscriptionId serve(GroupMember& member);

  uint64_t seed;
  // All patterns. A subject has no wildcard, so looking one up finds literal patterns only.
  boost::unordered_flat_set<PatternEntry*, EntryHash, EntryEqual> entries;
  PatternTrie trie;
  boost::unordered_flat_set<GroupName*, NameHash, NameEqual> names;
  boost::unordered_flat_map<GroupKey, PatternGroup*, GroupHash> groups;
  boost::unordered_flat_map<SubscriptionId, GroupMember*, base::HashId> members;
  size_t size = 0;
  uint64_t turn = 0;    // Counts choices of a group's member.
  uint64_t routed = 0;  // Counts messages whose groups had to be looked at.

  // Reused by `route`.
  std::vector<PatternEntry*> matching;
  std::vector<GroupMember*> candidates;
  std::vector<SubscriptionId> receivers;
};

Router::Table::~Table() {
  for (auto& [id, member] : members) delete member;
  for (auto& [key, group] : groups) delete group;
  for (GroupName* name : names) delete name;
  for (PatternEntry* entry : entries) PatternEntry::destroy(entry);
}

PatternEntry& Router::Table::entry_made(BytesView pattern) {
  if (PatternEntry* entry = find(pattern)) return *entry;
  PatternEntry* entry = PatternEntry::create(pattern);
  entries.insert(entry);
  if (has_wildcard(pattern)) trie.add(*entry);
  return *entry;
}

void Router::Table::drop_if_unused(PatternEntry& entry) {
  if (!entry.unused()) return;
  if (entry.extras && entry.extras->node) trie.remove(entry);
  entries.erase(&entry);
  PatternEntry::destroy(&entry);
  // After a burst of subscriptions the table's room is given back.
  if (entries.bucket_count() > 1024 && entries.size() < entries.bucket_count() / 8)
    entries.rehash(0);
}

PatternGroup& Router::Table::group_made(PatternEntry& entry, BytesView group) {
  auto found_name = names.find(group);
  GroupName* name = nullptr;
  if (found_name != names.end()) {
    name = *found_name;
  } else {
    name = new GroupName;
    name->name = group;
    names.insert(name);
  }
  PatternGroup*& made = groups[{&entry, name}];
  if (!made) {
    made = new PatternGroup;
    made->entry = &entry;
    made->name = name;
    made->place = entry.make_extras().groups.size();
    entry.extras->groups.push_back(made);
    ++name->groups;
  }
  return *made;
}

void Router::Table::drop_group(PatternGroup& group) {
  auto& siblings = group.entry->extras->groups;
  siblings[group.place] = siblings.back();
  siblings[group.place]->place = group.place;
  siblings.pop_back();
  groups.erase(GroupKey{group.entry, group.name});
  if (--group.name->groups == 0) {
    names.erase(group.name);
    delete group.name;
  }
  delete &group;
}

void Router::Table::join(SubscriptionId id, PatternEntry& entry, BytesView group) {
  auto* member = new GroupMember;
  member->id = id;
  member->group = &group_made(entry, group);
  // To the end of the line: whoever comes and goes all the time takes nobody's turn.
  member->served = ++turn;
  member->group->members.push_back(*member);
  members.emplace(id, member);
}

bool Router::Table::leave(SubscriptionId id, const PatternEntry& entry, BytesView group) {
  auto found = members.find(id);
  if (found == members.end()) return false;
  GroupMember* member = found->second;
  PatternGroup& from = *member->group;
  if (from.entry != &entry || from.name->name != group) return false;
  members.erase(found);
  from.members.erase(*member);
  delete member;
  if (from.members.empty()) drop_group(from);
  return true;
}

// Sends the member to the end of its line.
SubscriptionId Router::Table::serve(GroupMember& member) {
  member.served = ++turn;
  member.group->members.erase(member);
  member.group->members.push_back(member);
  return member.id;
}

// One member of each group in `matching`, groups of one name taken together. Each pattern's
// members stand in the order in which they were last served, so the one who waited longest
// over all of them is at the front of one of the lines: turns are fair however a group's
// members are spread over patterns.
void Router::Table::choose_members(const PassedOver* passed_over) {
  ++routed;
  candidates.clear();
  for (PatternEntry* entry : matching) {
    if (!entry->extras) continue;
    for (PatternGroup* group : entry->extras->groups) {
      GroupMember* next = &group->members.front();
      while (passed_over && next && (*passed_over)(next->id)) next = group->members.next(*next);
      if (!next) continue;
      GroupName& name = *group->name;
      if (name.routed != routed) {
        name.routed = routed;
        name.candidate = static_cast<uint32_t>(candidates.size());
        candidates.push_back(next);
      } else {
        GroupMember*& best = candidates[name.candidate];
        if (next->served < best->served) best = next;
      }
    }
  }
  for (GroupMember* member : candidates) receivers.push_back(serve(*member));
}

Router::Router() : table_(std::make_unique<Table>()) {}
Router::~Router() = default;

void Router::subscribe(SubscriptionId id, BytesView pattern, BytesView group) {
  PatternEntry& entry = table_->entry_made(pattern);
  if (group.empty()) {
    entry.plain.add(id);
  } else {
    table_->join(id, entry, group);
  }
  ++table_->size;
}

bool Router::unsubscribe(SubscriptionId id, BytesView pattern, BytesView group) {
  PatternEntry* entry = table_->find(pattern);
  if (!entry) return false;
  bool found = group.empty() ? entry->plain.remove(id) : table_->leave(id, *entry, group);
  if (!found) return false;
  --table_->size;
  table_->drop_if_unused(*entry);
  return true;
}

std::span<const SubscriptionId> Router::route(BytesView subject) {
  return receivers(subject, nullptr);
}

std::span<const SubscriptionId> Router::route(BytesView subject, const PassedOver& passed_over) {
  return receivers(subject, &passed_over);
}

std::span<const SubscriptionId> Router::receivers(BytesView subject,
                                                  const PassedOver* passed_over) {
  Table& table = *table_;
  PatternEntry* literal = table.find(subject);
  if (table.trie.empty()) {
    if (!literal) return {};
    if (!literal->has_groups()) return literal->plain.ids();
  }
  table.matching.clear();
  if (literal) table.matching.push_back(literal);
  if (!table.trie.empty()) table.trie.collect(subject, table.matching);
  if (table.matching.empty()) return {};
  bool groups = false;
  for (PatternEntry* entry : table.matching) groups = groups || entry->has_groups();
  if (table.matching.size() == 1 && !groups) return table.matching.front()->plain.ids();

  table.receivers.clear();
  for (PatternEntry* entry : table.matching) {
    auto ids = entry->plain.ids();
    table.receivers.insert(table.receivers.end(), ids.begin(), ids.end());
  }
  if (groups) table.choose_members(passed_over);
  return table.receivers;
}

size_t Router::size() const { return table_->size; }

}  // namespace tram::broker
