// OpenSSL, found when somebody first asks for TLS, and not before.
//
// Linked in, its two libraries would cost every `tram get` 1.4 ms at the start and an idle broker
// two megabytes, for a feature that most do not use; and where they are missing, nothing would run
// (docs/decisions/0051-tls.md). So only OpenSSL's headers are needed to build: its functions are
// looked up by name in libssl.so.3, once, and called through this table.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tram/base/result.h"

namespace tram::net {

// Every function that we call. Those which are macros in OpenSSL's headers are not here: they end
// in SSL_ctrl, SSL_CTX_ctrl, BIO_ctrl or an OPENSSL_sk_ function, which are.
// clang-format off
#define TRAM_OPENSSL(X) \
  X(TLS_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_ctrl) X(SSL_CTX_set_options) \
  X(SSL_CTX_set_num_tickets) X(SSL_CTX_set_default_read_buffer_len) \
  X(SSL_CTX_set_default_passwd_cb) X(SSL_CTX_use_certificate_chain_file) \
  X(SSL_CTX_use_PrivateKey_file) X(SSL_CTX_check_private_key) X(SSL_CTX_load_verify_file) \
  X(SSL_CTX_set_default_verify_paths) X(SSL_new) X(SSL_free) X(SSL_ctrl) X(SSL_set_bio) \
  X(SSL_set_accept_state) X(SSL_set_connect_state) X(SSL_set_verify) X(SSL_set1_host) \
  X(SSL_set_hostflags) X(SSL_get0_param) X(SSL_do_handshake) X(SSL_read) X(SSL_peek) \
  X(SSL_write) X(SSL_shutdown) X(SSL_get_error) X(SSL_get_verify_result) \
  X(SSL_get1_peer_certificate) X(ERR_clear_error) X(ERR_peek_error) X(ERR_peek_last_error) \
  X(ERR_reason_error_string) X(BIO_get_new_index) X(BIO_meth_new) X(BIO_meth_set_read) \
  X(BIO_meth_set_write) X(BIO_meth_set_ctrl) X(BIO_new) X(BIO_free) X(BIO_set_data) \
  X(BIO_get_data) X(BIO_set_init) X(BIO_set_flags) X(BIO_clear_flags) X(BIO_s_mem) X(BIO_ctrl) \
  X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_verify_cert_error_string) X(X509_free) \
  X(X509_get_ext_d2i) X(X509_get_subject_name) X(X509_NAME_print_ex) X(GENERAL_NAMES_free) \
  X(OPENSSL_sk_num) X(OPENSSL_sk_value) X(ASN1_STRING_get0_data) X(ASN1_STRING_length)
// clang-format on

struct OpenSsl {
  // NOLINTBEGIN(readability-identifier-naming): the names are OpenSSL's.
#define TRAM_OPENSSL_MEMBER(function) decltype(&::function) function = nullptr;
  TRAM_OPENSSL(TRAM_OPENSSL_MEMBER)
#undef TRAM_OPENSSL_MEMBER
  // NOLINTEND(readability-identifier-naming)

  // The same one for the whole program. Errors: tls_failed, saying what to install.
  // Threads: any.
  static base::Result<const OpenSsl*> get();
};

}  // namespace tram::net
