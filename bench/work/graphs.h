// The rows that run a graph known beforehand: storm-empty, chain, tree, wavefront, traversal.
//
// Each graph numbers its nodes from 0 so that edges lead from lower to higher numbers, and has
//
//     nodes()                          how many
//     waits_for(n)                     how many nodes n waits for
//     each_successor(n, f)             f(m) for every node m that waits for n
//     each_predecessor(n, f)           f(m) for every node m that n waits for
//     run(n)                           the body, to be called once, after those n waits for
//     verify(row)                      ends the process if a body ran too early, twice or not at
//     all
//
// so a library needs one template for all five: `with_graph(row, [&](auto& graph) { ... })`.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "measure.h"

namespace bench {

// Which bodies ran. Relaxed: what orders the bodies is the library's business, and under test.
class Ran {
 public:
  explicit Ran(size_t nodes) : nodes_(nodes), ran_(new std::atomic<uint8_t>[nodes]()) {}
  bool operator[](size_t node) const { return ran_[node].load(std::memory_order_relaxed) == 1; }
  void mark(size_t node) {
    ran_[node].store(static_cast<uint8_t>(ran_[node].load(std::memory_order_relaxed) + 1),
                     std::memory_order_relaxed);
  }
  uint64_t count() const {
    uint64_t count = 0;
    for (size_t node = 0; node < nodes_; ++node) count += (*this)[node];
    return count;
  }

 private:
  size_t nodes_;
  std::unique_ptr<std::atomic<uint8_t>[]> ran_;
};

// Layers of ten: node 0 is a leaf, the last one is the root, and each unit waits for ten units of
// the layer below (MCS's benchmark: 4 layers below the root are 11,111 units).
class Storm {
 public:
  static constexpr uint32_t fan = 10;
  explicit Storm(uint64_t units) : nodes_(static_cast<uint32_t>(units)), ran_(units) {}

  uint32_t nodes() const { return nodes_; }
  uint32_t root() const { return nodes_ - 1; }
  // Counted from the root, children of c are 10c+1 to 10c+10.
  uint32_t waits_for(uint32_t n) const {
    return uint64_t{mirror(n)} * fan + fan < nodes_ ? fan : 0;
  }
  template <typename F>
  void each_successor(uint32_t n, F&& f) const {
    if (n != root()) f(mirror((mirror(n) - 1) / fan));
  }
  template <typename F>
  void each_predecessor(uint32_t n, F&& f) const {
    if (waits_for(n) == 0) return;
    for (uint32_t k = fan; k >= 1; --k) f(mirror(mirror(n) * fan + k));
  }
  // To be called when the unit ends: after its millisecond, if it has one.
  void run(uint32_t n) {
    bool ready = true;
    each_predecessor(n, [&](uint32_t m) { ready = ready && ran_[m]; });
    if (ready) ran_.mark(n);
  }
  void verify(Row& row) const { row.check_equal(ran_.count(), nodes_, "units ran once, in order"); }

 private:
  uint32_t mirror(uint32_t n) const { return nodes_ - 1 - n; }

  uint32_t nodes_;
  Ran ran_;
};

// Each node waits for the one before it.
class Chain {
 public:
  explicit Chain(uint64_t nodes) : nodes_(static_cast<uint32_t>(nodes)) {}
  uint32_t nodes() const { return nodes_; }
  uint32_t waits_for(uint32_t n) const { return n > 0; }
  template <typename F>
  void each_successor(uint32_t n, F&& f) const {
    if (n + 1 < nodes_) f(n + 1);
  }
  template <typename F>
  void each_predecessor(uint32_t n, F&& f) const {
    if (n > 0) f(n - 1);
  }
  void run(uint32_t n) { next_ += next_ == n; }
  void verify(Row& row) const { row.check_equal(next_, nodes_, "nodes ran once, in order"); }

 private:
  uint32_t nodes_;
  uint32_t next_ = 0;  // Not atomic: the edges must order it.
};

// Each node waits for its parent: the graph fans out.
class BinaryTree {
 public:
  explicit BinaryTree(uint64_t nodes) : nodes_(static_cast<uint32_t>(nodes)), ran_(nodes) {}
  uint32_t nodes() const { return nodes_; }
  uint32_t waits_for(uint32_t n) const { return n > 0; }
  template <typename F>
  void each_successor(uint32_t n, F&& f) const {
    for (uint32_t m = 2 * n + 1; m <= 2 * n + 2 && m < nodes_; ++m) f(m);
  }
  template <typename F>
  void each_predecessor(uint32_t n, F&& f) const {
    if (n > 0) f((n - 1) / 2);
  }
  void run(uint32_t n) {
    if (n == 0 || ran_[(n - 1) / 2]) ran_.mark(n);
  }
  void verify(Row& row) const { row.check_equal(ran_.count(), nodes_, "nodes ran once, in order"); }

 private:
  uint32_t nodes_;
  Ran ran_;
};

// A square matrix in blocks of 8 x 8; a block waits for the one above and the one to the left, and
// each cell is one more than the sum of those two neighbours. The size is the matrix's side.
class Wavefront {
 public:
  static constexpr uint32_t block = 8;
  explicit Wavefront(uint64_t side)
      : side_(static_cast<uint32_t>(side)), blocks_(side_ / block), cells_(side * side, 1) {}

  uint32_t nodes() const { return blocks_ * blocks_; }
  uint32_t waits_for(uint32_t n) const { return (n >= blocks_) + (n % blocks_ > 0); }
  template <typename F>
  void each_successor(uint32_t n, F&& f) const {
    if (n % blocks_ + 1 < blocks_) f(n + 1);
    if (n + blocks_ < nodes()) f(n + blocks_);
  }
  template <typename F>
  void each_predecessor(uint32_t n, F&& f) const {
    if (n >= blocks_) f(n - blocks_);
    if (n % blocks_ > 0) f(n - 1);
  }
  void run(uint32_t n) {
    const uint32_t top = n / blocks_ * block, left = n % blocks_ * block;
    for (uint32_t i = top; i < top + block; ++i) {
      for (uint32_t j = left; j < left + block; ++j) {
        uint32_t& cell = cells_[size_t{i} * side_ + j];
        if (i > 0) cell += cells_[size_t{i - 1} * side_ + j];
        if (j > 0) cell += cells_[size_t{i} * side_ + j - 1];
      }
    }
  }
  void verify(Row& row) const {
    Wavefront alone(side_);  // Edges lead upwards, so one after the other is an order.
    for (uint32_t n = 0; n < nodes(); ++n) alone.run(n);
    row.check(cells_ == alone.cells_, "the matrix is the one that a loop computes");
    row.check_equal(cells_.back(), alone.cells_.back(), "the last cell");
  }

 private:
  uint32_t side_, blocks_;
  std::vector<uint32_t> cells_;
};

// Levels of nodes, each with 1 to 4 edges into the next level; a node's value is the sum of those
// it waits for and something of its own. The size is the number of levels and of nodes in each.
class Traversal {
 public:
  explicit Traversal(uint64_t side) : side_(static_cast<uint32_t>(side)), values_(side * side) {
    uint32_t random = 2463534242;  // xorshift, so that Go's program has the same graph.
    auto next = [&random] {
      random ^= random << 13;
      random ^= random >> 17;
      return random ^= random << 5;
    };
    std::vector<std::vector<uint32_t>> before(nodes());
    successors_.resize(nodes());
    for (uint32_t n = 0; n + side_ < nodes(); ++n) {
      for (uint32_t k = next() % 4 + 1; k > 0; --k) {
        const uint32_t m = (n / side_ + 1) * side_ + next() % side_;
        if (!successors_[n].empty() && successors_[n].back() == m) continue;
        successors_[n].push_back(m);
        before[m].push_back(n);
      }
    }
    predecessors_ = std::move(before);
  }

  uint32_t nodes() const { return side_ * side_; }
  uint32_t waits_for(uint32_t n) const { return static_cast<uint32_t>(predecessors_[n].size()); }
  template <typename F>
  void each_successor(uint32_t n, F&& f) const {
    for (uint32_t m : successors_[n]) f(m);
  }
  template <typename F>
  void each_predecessor(uint32_t n, F&& f) const {
    for (uint32_t m : predecessors_[n]) f(m);
  }
  void run(uint32_t n) {
    values_[n] += own(n);
    each_predecessor(n, [&](uint32_t m) { values_[n] += values_[m]; });
  }
  static uint64_t own(uint64_t n) { return n * 0x9e3779b97f4a7c15 | 1; }
  void verify(Row& row) const {
    Traversal alone(side_);
    for (uint32_t n = 0; n < nodes(); ++n) alone.run(n);
    row.check(values_ == alone.values_, "values are those that a loop computes");
    row.check_equal(values_.back(), alone.values_.back(), "the last value");
  }

 private:
  uint32_t side_;
  std::vector<std::vector<uint32_t>> successors_, predecessors_;
  std::vector<uint64_t> values_;
};

// Makes the graph of the row, calls `run(graph)`, which calls row.timed, and verifies.
// A graph is handed to the library within the timed section, as a unit that waits is when it is
// spawned; note "run_seconds" is the part after that, where a library keeps the two apart.
template <typename Run>
void with_graph(Row& row, Run&& run) {
  auto with = [&](auto graph) {
    row.units(graph.nodes());
    run(graph);
    graph.verify(row);
  };
  const std::string& name = row.name();
  if (name.starts_with("storm")) return with(Storm(row.size()));
  if (name == "chain") return with(Chain(row.size()));
  if (name == "tree") return with(BinaryTree(row.size()));
  if (name == "wavefront") return with(Wavefront(row.size()));
  row.check(name == "traversal", "a row with a graph");
  with(Traversal(row.size()));
}

}  // namespace bench
