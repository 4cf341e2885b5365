// TLS on one connected socket: opens what comes, seals what goes.
//
// What is sealed waits in an outbox of its own until the kernel takes it, several records to a
// write; the bytes that it stands for count as written only then. An idle channel holds no buffer
// (a record that has begun to come excepted), only what OpenSSL needs to remember its keys.
//
// Belongs to its stream, and to the loop.
#pragma once

#include <memory>
#include <string>

#include "tram/net/chunk_pool.h"
#include "tram/net/outbox.h"
#include "tram/net/stream.h"

struct ssl_ctx_st;
struct ssl_st;

namespace tram::net {

struct OpenSsl;

// Whether we called, or were called.
enum class TlsSide { dialled, accepted };

// Its methods are those of Stream, which says what they mean.
class TlsChannel {
 public:
  // `ssl` is taken over; `context`, which it comes from, is kept for as long as it.
  TlsChannel(const OpenSsl& functions, std::shared_ptr<ssl_ctx_st> context, ssl_st* ssl,
             TlsSide side, int socket, ChunkPool& chunks);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  Stream::Handshake shake_hands();
  Moved read(char* to, size_t room);
  Moved::Then peek();
  Moved write(const Outbox::Span* spans, size_t count);
  bool unsent() const { return !sealed_.empty(); }
  Moved::Then say_end();
  const std::string& fault() const { return fault_; }
  // False once it has failed: then only the end of the connection is to be waited for.
  bool alive() const { return dead_ != Moved::Then::lost; }
  std::string certified_name() const;

  // --- For OpenSSL, which reads and writes through them.
  int receive_sealed(char* to, int room);
  void append_sealed(BytesView bytes) { sealed_.append(bytes); }
  bool waits() const { return waits_; }

 private:
  Moved::Then after_failure(int returned);
  void describe_fault();
  size_t seal(const Outbox::Span* spans, size_t count);
  bool seal_record(const char* data, size_t size);
  Moved::Then flush();

  const OpenSsl& functions_;
  std::shared_ptr<ssl_ctx_st> context_;
  ssl_st* ssl_;
  Outbox sealed_;
  size_t stands_for_ = 0;  // Bytes that were given to be written, and are in `sealed_`.
  ChunkPool& chunks_;
  int socket_;
  bool waits_ = false;  // The kernel had nothing, when it was last asked.
  bool heard_ = false;  // Something came.
  bool said_end_ = false;
  Moved::Then dead_ = Moved::Then::more;  // What reading said for the last time.
  std::string fault_;
};

}  // namespace tram::net
