// The bytes of one connected socket, as they are or through TLS: what a connection reads and
// writes.
//
// Never waits: everything here does what the kernel allows now, and says how far it came. Belongs
// to its connection, and to the loop.
#pragma once

#include <memory>
#include <string>

#include "tram/base/bytes.h"
#include "tram/net/outbox.h"

namespace tram::net {

class TlsChannel;

// How far reading or writing came.
struct Moved {
  enum class Then {
    more,   // It may go on at once.
    wait,   // The kernel says that there is nothing, or no room; it will tell when that changes.
    ended,  // Of reading: the other side will send no more.
    lost,   // The connection is. Stream::fault may know more.
  };
  size_t bytes = 0;
  Then then = Then::more;
};

class Stream {
 public:
  // Takes over the socket. `tls`: not set for bytes as they are.
  Stream(int socket, std::unique_ptr<TlsChannel> tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int socket() const { return socket_; }
  // Closes the socket, which the destructor does not.
  void close();

  // --- With TLS, first of all, until it is done. Without, it is done.
  enum class Handshake { done, goes_on, failed };
  Handshake shake_hands();

  // --- Reading. A read that was not filled has found all there was: `wait`, with its bytes, unless
  // an end follows them, which the next one tells.
  Moved read(char* to, size_t room);
  // What a read would bring, taking nothing away: `more` if bytes are there.
  Moved::Then peek();
  // After `say_end`: takes what comes and drops it: `wait`, `ended` or `lost`; after a while
  // `more`, so that others have their turn.
  Moved::Then drain(char* buffer, size_t room);

  // --- Writing. `bytes` of the spans, in order, are with the kernel now. Spans that were not
  // counted are given again, as they were, in the next call.
  Moved write(const Outbox::Span* spans, size_t count);
  // There is something of our own to write, even with no spans.
  bool unsent() const;
  // Says that nothing more follows, once everything is written: `more` when it is said.
  Moved::Then say_end();

  // What went wrong with TLS, for people, or "".
  BytesView fault() const;
  // Whom the other side's certificate names: the first e-mail address, DNS name or URI in it, else
  // its subject. "" without one.
  std::string certified_name() const;

 private:
  std::unique_ptr<TlsChannel> tls_;
  int socket_;
};

// The same for a socket as it is.
Moved receive(int socket, char* to, size_t room);
Moved transmit(int socket, const Outbox::Span* spans, size_t count);

}  // namespace tram::net
