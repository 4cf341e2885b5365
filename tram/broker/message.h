// What a message is made of, live and stored.
#pragma once

#include <cstdint>

#include "tram/base/bytes.h"
#include "tram/base/shared_bytes.h"

namespace tram::broker {

using base::Bytes;
using base::BytesView;
using base::SharedBytes;

// A live message while it is being handed on. The views are valid during the call only.
struct Publication {
  BytesView subject;
  BytesView reply_to;  // Empty: no answer is expected.
  BytesView headers;   // A whole header block, "NATS/1.0\r\n...\r\n\r\n", or empty.
  BytesView payload;
  // If set, `headers` and `payload` lie in it, so a receiver may keep them by reference.
  const SharedBytes* owner = nullptr;
};

// A stored message's bytes: header block and payload, in one shared piece.
class Content {
 public:
  Content() = default;
  Content(BytesView headers, BytesView payload);

  BytesView headers() const { return bytes_.view().substr(0, header_size_); }
  BytesView payload() const { return bytes_.view().substr(header_size_); }
  const SharedBytes& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }

 private:
  SharedBytes bytes_;
  uint32_t header_size_ = 0;
};

inline Content::Content(BytesView headers, BytesView payload)
    : bytes_(SharedBytes::with_size(headers.size() + payload.size())),
      header_size_(static_cast<uint32_t>(headers.size())) {
  char* to = bytes_.mutable_data();
  if (!headers.empty()) std::memcpy(to, headers.data(), headers.size());
  if (!payload.empty()) std::memcpy(to + headers.size(), payload.data(), payload.size());
}

// How safe a stored message is. The reply to a put says which level was reached.
enum class Durability { memory, os, disk, replicated };
std::string_view name_of(Durability level);

}  // namespace tram::broker
