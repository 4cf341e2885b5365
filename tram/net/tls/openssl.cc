#include "tram/net/tls/openssl.h"

#include <dlfcn.h>
#include <fmt/core.h>

namespace tram::net {

namespace {

constexpr const char* library = "libssl.so.3";

base::Result<OpenSsl> load() {
  // Never closed: OpenSSL does not like to be.
  void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return base::failure(base::Errc::tls_failed,
                         fmt::format("OpenSSL 3 is needed: install libssl3 ({})", ::dlerror()));
  OpenSsl found;
  const char* missing = nullptr;
  // libcrypto's functions are found as well, since libssl needs it.
  auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
#define TRAM_OPENSSL_FIND(function) find(found.function, #function);
  TRAM_OPENSSL(TRAM_OPENSSL_FIND)
#undef TRAM_OPENSSL_FIND
  if (missing != nullptr)
    return base::failure(
        base::Errc::tls_failed,
        fmt::format("{} is not OpenSSL 3.0 or later: it has no {}", library, missing));
  return found;
}

}  // namespace

base::Result<const OpenSsl*> OpenSsl::get() {
  static const base::Result<OpenSsl> loaded = load();
  if (!loaded) return std::unexpected(loaded.error());
  return &*loaded;
}

}  // namespace tram::net
