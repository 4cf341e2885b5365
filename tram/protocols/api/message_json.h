// A message as JSON, in and out: one shape for events, WebSockets, mailboxes, takes and puts.
//
//   {"data":"hello"}   or, when the bytes are not UTF-8,   {"data_base64":"gIE="}
//   with "headers":{"Name":"value","Other":["one","two"]} when there are any.
#pragma once

#include <optional>
#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/protocols/api/json_request.h"

namespace tram::protocols::api {

// Appends `"data":...` and, if there are any, `,"headers":...`: members of an object.
void append_message_members(std::string& to, BytesView headers, BytesView payload);

// Reads a message's members, and says what is wrong with them.
class MessageMembers {
 public:
  // Asks `request` for data, data_base64 and headers. Call before request.finish().
  void read(JsonRequest& request);
  // After request.finish(). Errors: invalid_argument; invalid_header; message_too_large.
  Result<> finish(uint64_t payload_size_max);

  BytesView payload() const { return decoded_ ? BytesView(*decoded_) : text_.value_or(""); }
  const std::string& headers() const { return headers_; }  // A block (header_block.h), or empty.

 private:
  std::optional<BytesView> text_;
  std::optional<BytesView> base64_;
  std::optional<std::string> decoded_;
  std::vector<std::pair<BytesView, BytesView>> fields_;
  std::string headers_;
};

}  // namespace tram::protocols::api
