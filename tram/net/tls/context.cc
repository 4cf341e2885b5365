#include "tram/net/tls/context.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <new>
#include <system_error>
#include <unistd.h>

#include "tram/net/tls/openssl.h"

namespace tram::net {

using base::Errc;

namespace {

// As much is read at once as without TLS: several records.
constexpr size_t read_ahead = size_t{64} << 10;

// A key with a password would make OpenSSL ask for it on the terminal.
int no_password(char*, int, int, void*) { return 0; }

bool is_address(const std::string& host) {
  in6_addr ignored;
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

base::Result<> check(const TlsOptions& options, TlsContext::Use use) {
  auto refuse = [](const char* why) { return base::failure(Errc::invalid_argument, why); };
  if (options.certificate.empty() != options.key.empty())
    return refuse("TLS: a certificate and its key go together");
  if (use == TlsContext::Use::to_listen) {
    if (options.certificate.empty()) return refuse("TLS: who listens needs a certificate");
    if (options.mutual && options.authorities.empty())
      return refuse(
          "TLS: say whose certificates are trusted (authorities), or that none is asked for "
          "(mutual = false)");
  }
  return {};
}

// Reads what the options name into `context`.
base::Result<> read_files(const OpenSsl& ssl, SSL_CTX* context, const TlsOptions& options) {
  ssl.ERR_clear_error();
  auto refuse = [&](const std::string& file, const char* what) {
    const char* words = ssl.ERR_reason_error_string(ssl.ERR_peek_error());
    // OpenSSL calls a missing file a "system lib".
    std::string why = ::access(file.c_str(), R_OK) != 0
                          ? std::generic_category().message(errno)
                          : std::string(words != nullptr ? words : "unreadable");
    ssl.ERR_clear_error();
    return base::failure(Errc::tls_failed, fmt::format("{}: not {}: {}", file, what, why));
  };
  if (!options.certificate.empty()) {
    if (ssl.SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
      return refuse(options.certificate, "a certificate in PEM");
    if (ssl.SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1)
      return refuse(options.key, "the certificate's key in PEM, without a password");
    if (ssl.SSL_CTX_check_private_key(context) != 1)
      return refuse(options.key, "the key of that certificate");
  }
  if (options.authorities.empty()) {
    ssl.SSL_CTX_set_default_verify_paths(context);
  } else if (ssl.SSL_CTX_load_verify_file(context, options.authorities.c_str()) != 1) {
    return refuse(options.authorities, "certificates of authorities in PEM");
  }
  return {};
}

}  // namespace

base::Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options,
                                                                 Use use) {
  if (auto checked = check(options, use); !checked) return std::unexpected(checked.error());
  auto loaded = OpenSsl::get();
  if (!loaded) return std::unexpected(loaded.error());
  const OpenSsl& ssl = **loaded;
  std::shared_ptr<SSL_CTX> context(ssl.SSL_CTX_new(ssl.TLS_method()), ssl.SSL_CTX_free);
  if (!context) return base::failure(Errc::tls_failed, "OpenSSL has no memory");
  ssl.SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  // Connections are long and few: resuming sessions would save little, and is one more thing to
  // get wrong with certificates that were withdrawn.
  ssl.SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                             SSL_OP_NO_COMPRESSION |
                                             SSL_OP_CIPHER_SERVER_PREFERENCE);
  ssl.SSL_CTX_set_num_tickets(context.get(), 0);
  ssl.SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, nullptr);
  ssl.SSL_CTX_ctrl(context.get(), SSL_CTRL_MODE,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, nullptr);
  ssl.SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_READ_AHEAD, 1, nullptr);
  ssl.SSL_CTX_set_default_read_buffer_len(context.get(), read_ahead);
  ssl.SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  if (auto read = read_files(ssl, context.get(), options); !read)
    return std::unexpected(read.error());
  return std::shared_ptr<const TlsContext>(new TlsContext(ssl, options, std::move(context)));
}

ssl_st* TlsContext::make() const {
  SSL* made = ssl_.SSL_new(context_.get());
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

std::unique_ptr<TlsChannel> TlsContext::accept(int socket, ChunkPool& chunks) const {
  SSL* ssl = make();
  ssl_.SSL_set_verify(
      ssl, options_.mutual ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
      nullptr);
  return std::make_unique<TlsChannel>(ssl_, context_, ssl, TlsSide::accepted, socket, chunks);
}

std::unique_ptr<TlsChannel> TlsContext::dial(int socket, ChunkPool& chunks,
                                             const std::string& host) const {
  SSL* ssl = make();
  ssl_.SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  if (is_address(name)) {
    ssl_.X509_VERIFY_PARAM_set1_ip_asc(ssl_.SSL_get0_param(ssl), name.c_str());
  } else {
    // "*.example.org" is a name, "w*.example.org" is not, and a subject is none either.
    ssl_.SSL_set_hostflags(
        ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    ssl_.SSL_set1_host(ssl, name.c_str());
    // Also told to the other side, which may have several certificates.
    ssl_.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(name.c_str()));
  }
  return std::make_unique<TlsChannel>(ssl_, context_, ssl, TlsSide::dialled, socket, chunks);
}

}  // namespace tram::net
