#include "tram/broker/pattern_trie.h"

#include <algorithm>

#include "tram/base/assert.h"

namespace tram::broker {
namespace {

// The tokens of a text, one after the other.
struct Tokens {
  BytesView rest;

  bool empty() const { return rest.empty(); }
  BytesView next() {
    size_t end = std::min(rest.find('.'), rest.size());
    BytesView token = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return token;
  }
};

}  // namespace

PatternTrie::PatternTrie() : seed_(seed_from_address(this)), children_(0, Hash{seed_}, Equal{}) {}

PatternTrie::~PatternTrie() {
  std::vector<PatternNode*> stars{root_.star};
  for (PatternNode* node : children_) stars.push_back(node->star);
  for (PatternNode* star : stars) {
    while (star) {
      PatternNode* deeper = star->star;
      delete star;
      star = deeper;
    }
  }
  for (PatternNode* node : children_) delete node;
}

PatternNode* PatternTrie::literal_child(const PatternNode& parent, BytesView token,
                                        uint64_t hash) const {
  if (parent.literal_children == 0) return nullptr;
  auto found = children_.find(Key{&parent, token, hash});
  return found == children_.end() ? nullptr : *found;
}

PatternNode& PatternTrie::child_made(PatternNode& parent, BytesView token) {
  if (token == "*") {
    if (!parent.star) {
      parent.star = new PatternNode;
      parent.star->parent = &parent;
    }
    return *parent.star;
  }
  if (auto* child = literal_child(parent, token, hash_text(token, seed_))) return *child;
  auto* child = new PatternNode;
  child->parent = &parent;
  child->token = token;
  children_.insert(child);
  ++parent.literal_children;
  return *child;
}

void PatternTrie::add(PatternEntry& entry) {
  PatternExtras& extras = entry.make_extras();
  PatternNode* node = &root_;
  Tokens tokens{entry.pattern()};
  ++patterns_;
  for (size_t depth = 0;; ++depth) {
    extras.node = node;
    if (tokens.rest == ">") {
      TRAM_ASSERT(!node->beyond);
      node->beyond = &entry;
      return;
    }
    if (tokens.empty()) {
      TRAM_ASSERT(!node->here);
      node->here = &entry;
      return;
    }
    if (depth == depth_max) {
      extras.checked_size = static_cast<uint32_t>(entry.pattern_size - tokens.rest.size());
      if (!node->deep)
        node->deep = std::make_unique<base::IntrusiveList<PatternExtras, struct DeepLink>>();
      node->deep->push_back(extras);
      return;
    }
    node = &child_made(*node, tokens.next());
  }
}

void PatternTrie::remove(PatternEntry& entry) {
  PatternExtras& extras = *entry.extras;
  PatternNode* node = extras.node;
  TRAM_ASSERT(node);
  extras.node = nullptr;
  --patterns_;
  if (node->here == &entry) {
    node->here = nullptr;
  } else if (node->beyond == &entry) {
    node->beyond = nullptr;
  } else {
    node->deep->erase(extras);
    if (node->deep->empty()) node->deep.reset();
  }
  prune(node);
}

// Removes `node` and those above it that lead nowhere any more.
void PatternTrie::prune(PatternNode* node) {
  while (node != &root_ && !node->here && !node->beyond && !node->deep && !node->star &&
         node->literal_children == 0) {
    PatternNode* parent = node->parent;
    if (parent->star == node) {
      parent->star = nullptr;
    } else {
      children_.erase(node);
      --parent->literal_children;
    }
    delete node;
    node = parent;
  }
  // After a burst of patterns the table's room is given back.
  if (children_.bucket_count() > 1024 && children_.size() < children_.bucket_count() / 8)
    children_.rehash(0);
}

void PatternTrie::collect(BytesView subject, std::vector<PatternEntry*>& found) {
  reached_.assign(1, &root_);
  Tokens tokens{subject};
  for (size_t depth = 0; !tokens.empty() && !reached_.empty(); ++depth) {
    if (depth == depth_max) {
      for (PatternNode* node : reached_) {
        if (node->beyond) found.push_back(node->beyond);
        if (!node->deep) continue;
        for (auto* deep = node->deep->first(); deep; deep = node->deep->next(*deep))
          if (matches(deep->entry->pattern().substr(deep->checked_size), tokens.rest))
            found.push_back(deep->entry);
      }
      return;
    }
    BytesView token = tokens.next();
    uint64_t hash = hash_text(token, seed_);
    next_.clear();
    for (PatternNode* node : reached_) {
      if (node->beyond) found.push_back(node->beyond);
      if (PatternNode* child = literal_child(*node, token, hash)) next_.push_back(child);
      if (node->star) next_.push_back(node->star);
    }
    std::swap(reached_, next_);
  }
  for (PatternNode* node : reached_)
    if (node->here) found.push_back(node->here);
}

}  // namespace tram::broker
