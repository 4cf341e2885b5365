#include "tram/net/tls/context.h"

#include <doctest/doctest.h>
#include <fstream>

#include "tram/net/testing/certificates.h"

using namespace tram::net;
using tram::base::Errc;
using tram::net::testing::Authority;

namespace {

// The code, and that the detail says `words`.
void check_refused(const TlsOptions& options, TlsContext::Use use, Errc code,
                   const std::string& words) {
  auto loaded = TlsContext::load(options, use);
  REQUIRE(!loaded);
  CHECK(loaded.error().code == code);
  CHECK_MESSAGE(loaded.error().detail.find(words) != std::string::npos, loaded.error().detail);
}

void check_file_refused(const TlsOptions& options, const std::string& words) {
  check_refused(options, TlsContext::Use::to_listen, Errc::tls_failed, words);
}

}  // namespace

TEST_CASE("who dials needs neither a certificate nor authorities of its own") {
  CHECK(TlsContext::load({}, TlsContext::Use::to_dial));
}

TEST_CASE("who listens needs a certificate, and authorities unless none is asked for") {
  Authority authority;
  auto use = TlsContext::Use::to_listen;
  check_refused({}, use, Errc::invalid_argument, "needs a certificate");
  TlsOptions options = authority.issue();
  CHECK(TlsContext::load(options, use));
  options.authorities.clear();
  check_refused(options, use, Errc::invalid_argument, "whose certificates are trusted");
  options.mutual = false;
  CHECK(TlsContext::load(options, use));
  options.key.clear();
  check_refused(options, use, Errc::invalid_argument, "go together");
}

TEST_CASE("a file that is not what it should be is named, with what is wrong") {
  Authority authority;
  const TlsOptions good = authority.issue();
  std::string missing = authority.folder() / "missing.pem";
  std::string text = authority.folder() / "text.pem";
  std::ofstream(text) << "not a certificate\n";

  TlsOptions options = good;
  options.certificate = missing;
  check_file_refused(options, missing + ": not a certificate in PEM: No such file");
  options.certificate = text;
  check_file_refused(options, text + ": not a certificate in PEM");

  options = good;
  options.key = missing;
  check_file_refused(options, missing + ": not the certificate's key");
  options.key = authority.issue().key;
  check_file_refused(options, options.key + ": not the");

  options = good;
  options.authorities = missing;
  check_file_refused(options, missing + ": not certificates of authorities");
  options.authorities = text;
  check_file_refused(options, text + ": not certificates of authorities");
}

TEST_CASE("a key with a password is refused, and nobody is asked for it") {
  Authority authority;
  TlsOptions options = authority.issue({.password = "secret"});
  check_file_refused(options,
                     options.key + ": not the certificate's key in PEM, without a password");
}
