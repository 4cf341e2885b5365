// A certificate, its key and those we trust, as OpenSSL has them: what the channels of many
// connections share.
//
// Threads: made by any; its channels belong to the loops of their connections. It lives for as long
// as any of them.
#pragma once

#include <memory>
#include <string>

#include "tram/base/result.h"
#include "tram/net/chunk_pool.h"
#include "tram/net/tls/channel.h"
#include "tram/net/tls/options.h"

namespace tram::net {

class TlsContext {
 public:
  // What it will be used for: whoever only dials needs no certificate.
  enum class Use { to_dial, to_listen };
  // Reads the files. Errors: tls_failed (no OpenSSL; a file that is missing, or is not what it
  // should be, and which), invalid_argument (options that do not go together).
  static base::Result<std::shared_ptr<const TlsContext>> load(const TlsOptions& options, Use use);

  // TLS from the first byte on, over a connected socket that stays the caller's and outlives it.
  std::unique_ptr<TlsChannel> accept(int socket, ChunkPool& chunks) const;
  // `host`: a name or an address that the other side's certificate must carry, unless
  // TlsOptions::server_name says another.
  std::unique_ptr<TlsChannel> dial(int socket, ChunkPool& chunks, const std::string& host) const;

  const TlsOptions& options() const { return options_; }

 private:
  TlsContext(const OpenSsl& ssl, TlsOptions options, std::shared_ptr<ssl_ctx_st> context)
      : ssl_(ssl), options_(std::move(options)), context_(std::move(context)) {}
  ssl_st* make() const;

  const OpenSsl& ssl_;
  TlsOptions options_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace tram::net
