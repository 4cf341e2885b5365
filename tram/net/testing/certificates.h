// An authority for tests, and the certificates that it gives out: made when they are asked for, as
// PEM files in a folder of their own that goes with the authority.
#pragma once

#include <filesystem>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tram/net/tls/options.h"

namespace tram::net::testing {

class Authority {
 public:
  explicit Authority(const std::string& name = "Tram's tests") : key_(EVP_EC_gen("P-256")) {
    std::string folder = std::filesystem::temp_directory_path() / "tram-certificates-XXXXXX";
    must(::mkdtemp(folder.data()) != nullptr, folder);
    folder_ = folder;
    certificate_ = make({.name = name, .extensions = {{NID_basic_constraints, "critical,CA:TRUE"}}},
                        key_.get());
    write("authority.pem", [&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
  }
  ~Authority() { std::filesystem::remove_all(folder_); }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  struct Wish {
    std::string name = "somebody";  // The subject's common name.
    // As OpenSSL writes it: "DNS:localhost,IP:127.0.0.1".
    std::string alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    std::string use = "";  // "serverAuth", "clientAuth"; "" for any.
    long begins_in = -60;  // Seconds from now.
    long ends_in = 86'400;
    std::string password = "";  // Of the key's file.
    std::vector<std::pair<int, std::string>> extensions = {};
  };
  // A certificate of its own for whoever asks, and trust in this authority.
  TlsOptions issue(const Wish& wish) {
    Key key(EVP_EC_gen("P-256"));
    Wish whole = wish;
    if (!wish.alternative_names.empty())
      whole.extensions.emplace_back(NID_subject_alt_name, wish.alternative_names);
    if (!wish.use.empty()) whole.extensions.emplace_back(NID_ext_key_usage, wish.use);
    Certificate certificate = make(whole, key.get());
    std::string number = std::to_string(++issued_);
    TlsOptions options;
    options.certificate = write(
        number + ".pem", [&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
    options.key = write(number + ".key", [&](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key.get(),
                                      wish.password.empty() ? nullptr : EVP_aes_128_cbc(), nullptr,
                                      0, nullptr, const_cast<char*>(wish.password.c_str()));
    });
    options.authorities = folder_ / "authority.pem";
    return options;
  }
  TlsOptions issue() { return issue(Wish()); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  static void must(bool fine, const std::string& what) {
    if (!fine) throw std::runtime_error("cannot make certificates: " + what);
  }
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  Certificate make(const Wish& wish, EVP_PKEY* key) {
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.begins_in);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.ends_in);
    X509_set_pubkey(made.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1,
                               0);
    X509* issuer = certificate_ ? certificate_.get() : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    for (const auto& [kind, value] : wish.extensions) {
      std::unique_ptr<X509_EXTENSION, Free> extension(
          X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
      must(extension != nullptr, value);
      X509_add_ext(made.get(), extension.get(), -1);
    }
    must(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0, wish.name);
    return made;
  }

  template <class Write>
  std::string write(const std::string& name, Write&& how) {
    std::string path = folder_ / name;
    std::unique_ptr<BIO, Free> bio(BIO_new_file(path.c_str(), "w"));
    must(bio && how(bio.get()) == 1, path);
    return path;
  }

  Key key_;
  Certificate certificate_;
  std::filesystem::path folder_;
  long serial_ = 0;
  int issued_ = 0;
};

}  // namespace tram::net::testing
