// A message's headers: a block of lines as it travels, read in place or built up.
//
//   NATS/1.0 [status [description]]\r\n
//   Name: value\r\n
//   \r\n
#pragma once

#include <optional>

#include "tram/base/bytes.h"
#include "tram/base/result.h"

namespace tram::client {

// Looks at a block that somebody else owns. An empty block has no headers. What cannot be
// read as a header line is passed over: a reader should not fail on a writer's mistake.
class HeadersView {
 public:
  HeadersView() = default;
  explicit HeadersView(base::BytesView block) : block_(block) {}

  bool empty() const { return block_.empty(); }
  base::BytesView block() const { return block_; }
  // The first header of that name; letters' case does not matter.
  std::optional<base::BytesView> find(base::BytesView name) const;
  // 404 in "NATS/1.0 404 No Messages"; 0 if the first line has no status.
  int status() const;
  // "No Messages" in the same line.
  base::BytesView description() const;

  // visit(name, value) for each header, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    base::BytesView rest = after_first_line();
    base::BytesView name, value;
    while (next_line(rest, name, value)) {
      if (!name.empty()) visit(name, value);
    }
  }

 private:
  base::BytesView after_first_line() const;
  base::BytesView first_line() const;
  // False at the end of the block. A line without a colon gives an empty name.
  static bool next_line(base::BytesView& rest, base::BytesView& name, base::BytesView& value);

  base::BytesView block_;
};

// Owns a block that is being built.
class Headers {
 public:
  // Errors: invalid_header, if the name is empty or holds a colon, space or control
  // character, or the value holds a line break.
  base::Result<> add(base::BytesView name, base::BytesView value);
  // "Name: value", as people type it.
  base::Result<> add_line(base::BytesView line);

  bool empty() const { return lines_.empty(); }
  // The whole block, ready to send; empty if there are no headers.
  base::Bytes block() const;

 private:
  base::Bytes lines_;
};

}  // namespace tram::client
