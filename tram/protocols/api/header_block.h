// A message's headers as every door keeps them: "NATS/1.0\r\nName: value\r\n\r\n", read and
// written.
//
// Names keep their case and may repeat. A value's blanks at both ends do not count.
#pragma once

#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"

namespace tram::protocols::api {

using base::BytesView;

// Walks the fields of a block; lines that are not "Name: value" are passed over.
//   for (HeaderFields fields(block); fields.next();) use(fields.name(), fields.value());
class HeaderFields {
 public:
  explicit HeaderFields(BytesView block);
  bool next();
  BytesView name() const { return name_; }
  BytesView value() const { return value_; }

 private:
  BytesView rest_;
  BytesView name_;
  BytesView value_;
};

// Adds a field to `block`, which is empty or ended by an earlier call.
// Errors: invalid_header, with `block` unchanged: a name must be a word of printable characters
// without a colon; a value must not hold a line's end or NUL.
base::Result<> append_header(std::string& block, BytesView name, BytesView value);

// {"Name":"value","Other":["one","two"]}
void append_headers_json(std::string& to, BytesView block);

}  // namespace tram::protocols::api
