#include "tram/base/heap.h"

#include <doctest/doctest.h>
#include <set>
#include <vector>

#include "tram/base/random.h"

using tram::base::Heap;
using tram::base::HeapPlace;
using tram::base::Random;

namespace {

struct Node : HeapPlace<> {
  uint64_t key = 0;
};
struct Less {
  bool operator()(const Node& a, const Node& b) const { return a.key < b.key; }
};

}  // namespace

TEST_CASE("a heap agrees with a sorted set through pushes, pops, removals and changes of key") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::vector<Node> nodes(64);
    Heap<Node, Less> heap;
    std::set<std::pair<uint64_t, Node*>> model;
    for (int step = 0; step < 2000; ++step) {
      Node& node = nodes[random.below(nodes.size())];
      uint64_t key = random.below(1000) * 64 + static_cast<uint64_t>(&node - nodes.data());
      if (!node.in_heap()) {
        node.key = key;
        heap.push(node);
        model.insert({key, &node});
      } else if (random.one_in(2)) {
        model.erase({node.key, &node});
        node.key = key;
        heap.moved(node);
        model.insert({key, &node});
      } else if (random.one_in(2)) {
        model.erase({node.key, &node});
        heap.erase(node);
      } else {
        REQUIRE(&heap.pop() == model.begin()->second);
        model.erase(model.begin());
      }
      REQUIRE(heap.size() == model.size());
      if (!model.empty()) REQUIRE(&heap.top() == model.begin()->second);
    }
  }
}
