// A message as it was received.
#pragma once

#include "tram/base/bytes.h"
#include "tram/base/id.h"
#include "tram/client/headers.h"

namespace tram::client {

using SubscriptionId = base::Id<struct SubscriptionTag>;

// Views into the client's read buffer, good until the client reads again; `OwnedMessage`
// keeps them.
struct Message {
  SubscriptionId subscription = {};
  base::BytesView subject = {};
  base::BytesView reply = {};  // empty if no answer is wanted
  HeadersView headers = {};
  base::BytesView payload = {};

  // "NATS/1.0 503" and no payload: the server answers that nobody listens.
  bool says_no_responders() const { return payload.empty() && headers.status() == 503; }
};

class OwnedMessage {
 public:
  explicit OwnedMessage(const Message& message)
      : subscription_(message.subscription),
        subject_(message.subject),
        reply_(message.reply),
        headers_(message.headers.block()),
        payload_(message.payload) {}

  Message view() const {
    return {subscription_, subject_, reply_, HeadersView(headers_), payload_};
  }
  size_t bytes() const {
    return subject_.size() + reply_.size() + headers_.size() + payload_.size();
  }

 private:
  SubscriptionId subscription_;
  base::Bytes subject_, reply_, headers_, payload_;
};

}  // namespace tram::client
