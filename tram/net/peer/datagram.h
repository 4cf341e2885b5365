// One message as it is received, or the news that something went wrong with a connection.
#pragma once

#include <memory>
#include <string>

#include "tram/base/bytes.h"
#include "tram/base/error.h"
#include "tram/base/shared_bytes.h"

namespace tram::net {

using base::BytesView;
using base::SharedBytes;

// Who talked to whom on a connection.
struct Ends {
  // The other side. Of a connection that we dialled: the address as it was dialled. Of one that we
  // accepted: where it came from. Either may be sent to for as long as the connection lasts.
  std::string from;
  std::string to;  // Our side: "127.0.0.1:7000".
  // With TLS, whom the other side's certificate names; nullptr if it showed none.
  std::unique_ptr<const std::string> identity = {};
};

// What a callback is shown lasts as long as the call. A Datagram that was received or copied lasts
// by itself; small ones share the bytes of one read, at most 64 KiB, so who keeps one for long
// should keep a std::string(data) instead.
struct Datagram {
  BytesView data = {};
  std::shared_ptr<const Ends> ends = {};
  // Set if this is no message, and `data` is empty: the other side sent what is no message
  // (protocol_error), or too large a one (message_too_large), did not finish one in time
  // (timed_out), was lost in the middle of one (connection_lost), or TLS failed (tls_failed). The
  // connection is closed.
  std::shared_ptr<const base::Error> error = {};
  SharedBytes owner = {};  // Of `data`. Not set in what a callback is shown.

  const std::string& from() const { return ends->from; }
  const std::string& to() const { return ends->to; }
  // With TLS, whom the other side's certificate names: its first e-mail address, DNS name or URI,
  // else its subject, "CN=worker 7,O=Example". "" if it showed none.
  BytesView identity() const { return ends->identity ? BytesView(*ends->identity) : BytesView(); }

  // One that lasts by itself.
  Datagram kept() const {
    Datagram copy = *this;
    if (copy.owner || data.empty()) return copy;
    copy.owner = SharedBytes::copy_of(data);
    copy.data = copy.owner.view();
    return copy;
  }
};

}  // namespace tram::net
