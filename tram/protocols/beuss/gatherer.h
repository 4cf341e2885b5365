// Collects the pieces of one message until its sender pauses.
//
// Only the first `most` bytes are kept; what is cut off is counted. An empty gatherer holds no
// memory, as most connections wait most of the time.
#pragma once

#include <algorithm>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::beuss {

class Gatherer {
 public:
  explicit Gatherer(size_t most) : most_(most) {}

  void add(base::BytesView piece) {
    size_t room = most_ - message_.size();
    cut_ += piece.size() - std::min(room, piece.size());
    message_.append(piece.substr(0, room));
  }
  bool empty() const { return message_.empty(); }
  base::BytesView message() const { return message_; }
  // Bytes that came beyond the limit.
  size_t cut() const { return cut_; }
  void clear() {
    message_ = std::string();  // Not clear(), which would keep the memory.
    cut_ = 0;
  }

 private:
  const size_t most_;
  size_t cut_ = 0;
  std::string message_;
};

}  // namespace tram::protocols::beuss
