// JSON as GopherMQ reads and writes it: which is how Go's encoding/json and echo do.
//
// Apart from /v1's JSON, because clients lean on its quirks (all seen on the original): member
// names in any case, the last of several wins, null leaves a member as it was, whatever follows
// the first value is not looked at, bytes that are not UTF-8 become U+FFFD. Written: < > & and
// U+2028, U+2029 as escapes, and a line's end after the body.
#pragma once

#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::http {

using base::BytesView;

// A member's text: a view into the body when it can be, decoded otherwise.
class GopherText {
 public:
  BytesView view() const { return decoded_ ? BytesView(room_) : plain_; }
  void set_plain(BytesView text) {
    plain_ = text;
    decoded_ = false;
  }
  void set_decoded(std::string text) {
    room_ = std::move(text);
    decoded_ = true;
  }
  // It lies in the body.
  bool plain() const { return !decoded_; }

 private:
  BytesView plain_;
  std::string room_;
  bool decoded_ = false;
};

// The members that an endpoint knows: nullptr for one that it does not, whose value may then be
// anything.
struct GopherMembers {
  GopherText* subject = nullptr;
  GopherText* data = nullptr;
  GopherText* id = nullptr;
};

// Reads the first JSON value of `body`. False if that is not JSON, not an object (null counts as
// an empty one), or has a known member that is not a string.
bool read_gopher_json(BytesView body, const GopherMembers& members);

// As Go writes a string, quotes included.
void append_gopher_string(std::string& to, BytesView text);

// {"message":"..."} and a line's end.
std::string gopher_message_json(BytesView message);

}  // namespace tram::protocols::http
