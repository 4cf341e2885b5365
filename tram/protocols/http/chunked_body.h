// A body that comes in chunks (RFC 9112, section 7.1), put together.
#pragma once

#include <cstdint>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::http {

using base::BytesView;

class ChunkedBody {
 public:
  // The body may have this many bytes.
  explicit ChunkedBody(uint64_t size_max) : size_max_(size_max) {}

  enum class State { unfinished, finished, malformed, too_large };
  struct Progress {
    State state;
    size_t consumed;
  };
  // Reads on, appending the body to `to`. Stops where the body ends. Trailers are read and
  // dropped. Chunk extensions and trailers may have a few hundred bytes; longer ones are
  // malformed.
  Progress read(BytesView bytes, std::string& to);

 private:
  enum class Part { size_line, data, data_end, trailer };
  State read_line(BytesView line);

  uint64_t size_max_;
  uint64_t left_ = 0;   // Of the chunk.
  uint64_t total_ = 0;  // Of all chunks so far.
  std::string line_;
  size_t trailer_size_ = 0;
  Part part_ = Part::size_line;
};

}  // namespace tram::protocols::http
