// The patterns that hold wildcards, token by token: which of them match a subject?
//
// Owns: its nodes, not the entries that hang in it.
//
// Cost: `collect` keeps the set of nodes that match the tokens so far and goes on from there,
// one token at a time: no recursion, each node is visited at most once, and a subject that no
// pattern begins like costs one look-up. At worst (patterns that all begin like the subject)
// it is linear in the number of patterns, never exponential in the number of tokens. Only the
// first 16 tokens of a pattern become nodes, so that what a stranger can make us allocate is
// bounded too; deeper patterns hang in a list at the sixteenth, and are compared one by one.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <memory>
#include <vector>

#include "tram/broker/pattern_entry.h"
#include "tram/broker/text_hash.h"

namespace tram::broker {

struct PatternNode {
  PatternNode* parent = nullptr;
  Bytes token;                     // Empty for the node of the token *.
  uint32_t literal_children = 0;   // Found in the trie's table.
  PatternNode* star = nullptr;     // The child for the token *.
  PatternEntry* here = nullptr;    // The pattern that ends with this node's token.
  PatternEntry* beyond = nullptr;  // The pattern that goes on with a final >.
  std::unique_ptr<base::IntrusiveList<PatternExtras, struct DeepLink>> deep;
};

class PatternTrie {
 public:
  PatternTrie();
  ~PatternTrie();
  PatternTrie(const PatternTrie&) = delete;
  PatternTrie& operator=(const PatternTrie&) = delete;

  bool empty() const { return patterns_ == 0; }
  // `entry`'s pattern must hold a wildcard and must not be here yet.
  void add(PatternEntry& entry);
  void remove(PatternEntry& entry);
  // Appends every entry whose pattern matches, always in the same order.
  void collect(BytesView subject, std::vector<PatternEntry*>& found);

 private:
  static constexpr size_t depth_max = 16;

  // A child by its parent and token, with the token's hash, which is computed once for all
  // nodes that a subject's token is looked up in.
  struct Key {
    const PatternNode* parent;
    BytesView token;
    uint64_t token_hash;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    uint64_t seed;
    size_t operator()(const Key& key) const {
      return fold(key.token_hash, reinterpret_cast<uintptr_t>(key.parent) ^ seed);
    }
    size_t operator()(const PatternNode* node) const {
      return (*this)(Key{node->parent, node->token, hash_text(node->token, seed)});
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const PatternNode* a, const PatternNode* b) const { return a == b; }
    bool operator()(const Key& key, const PatternNode* node) const {
      return key.parent == node->parent && key.token == node->token;
    }
    bool operator()(const PatternNode* node, const Key& key) const { return (*this)(key, node); }
  };

  PatternNode* literal_child(const PatternNode& parent, BytesView token, uint64_t hash) const;
  PatternNode& child_made(PatternNode& parent, BytesView token);
  void prune(PatternNode* node);

  uint64_t seed_;
  size_t patterns_ = 0;
  PatternNode root_;
  boost::unordered_flat_set<PatternNode*, Hash, Equal> children_;
  std::vector<PatternNode*> reached_;  // Reused by `collect`.
  std::vector<PatternNode*> next_;
};

}  // namespace tram::broker
