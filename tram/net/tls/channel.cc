#include "tram/net/tls/channel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/core.h>

#include "tram/net/tls/openssl.h"

namespace tram::net {

namespace {

using Then = Moved::Then;

// What one record may carry. Smaller pieces are put together, as each record costs 22 bytes and a
// call.
constexpr size_t record_max = size_t{16} << 10;
// Sealed and written at once, so that one connection does not hold the loop for long.
constexpr size_t sealed_at_once_max = 8 * record_max;
constexpr size_t pieces_per_write = 16;
// While more than that is sealed and not taken, whoever makes TLS itself answer is given up.
constexpr size_t unasked_max = 4 * sealed_at_once_max;

// --- What OpenSSL reads from and writes to.

TlsChannel& channel_of(BIO* bio);

int bio_read(BIO* bio, char* to, int room);
int bio_write(BIO* bio, const char* data, int size);

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// One kind for the whole program, as OpenSSL wants it.
BIO_METHOD* bio_kind(const OpenSsl& functions) {
  static BIO_METHOD* const kind = [&] {
    BIO_METHOD* made = functions.BIO_meth_new(functions.BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                                              "tram connection");
    functions.BIO_meth_set_read(made, bio_read);
    functions.BIO_meth_set_write(made, bio_write);
    functions.BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return kind;
}

const OpenSsl& loaded() { return **OpenSsl::get(); }

TlsChannel& channel_of(BIO* bio) { return *static_cast<TlsChannel*>(loaded().BIO_get_data(bio)); }

int bio_read(BIO* bio, char* to, int room) {
  const OpenSsl& functions = loaded();
  TlsChannel& channel = channel_of(bio);
  functions.BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
  int size = channel.receive_sealed(to, room);
  if (size < 0 && channel.waits())
    functions.BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
  return size;
}

int bio_write(BIO* bio, const char* data, int size) {
  channel_of(bio).append_sealed(BytesView(data, static_cast<size_t>(size)));
  return size;
}

std::string text_of(const OpenSsl& functions, const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(functions.ASN1_STRING_get0_data(string)),
          static_cast<size_t>(functions.ASN1_STRING_length(string))};
}

// The first of the kinds that name somebody, in the order in which they are written here.
std::string alternative_name(const OpenSsl& functions, const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      functions.X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return "";
  const auto* stack = reinterpret_cast<const OPENSSL_STACK*>(names);
  std::string found;
  for (int kind : {GEN_EMAIL, GEN_DNS, GEN_URI})
    for (int i = 0; found.empty() && i < functions.OPENSSL_sk_num(stack); ++i) {
      const auto* name = static_cast<const GENERAL_NAME*>(functions.OPENSSL_sk_value(stack, i));
      if (name->type == kind) found = text_of(functions, name->d.ia5);
    }
  functions.GENERAL_NAMES_free(names);
  return found;
}

// As RFC 2253 writes it: "CN=worker 7,O=Example".
std::string subject(const OpenSsl& functions, const X509* certificate) {
  BIO* memory = functions.BIO_new(functions.BIO_s_mem());
  if (memory == nullptr) return "";
  functions.X509_NAME_print_ex(memory, functions.X509_get_subject_name(certificate), 0,
                               XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  long size = functions.BIO_ctrl(memory, BIO_CTRL_INFO, 0, &text);
  std::string copy(text, static_cast<size_t>(std::max(size, 0L)));
  functions.BIO_free(memory);
  return copy;
}

}  // namespace

TlsChannel::TlsChannel(const OpenSsl& functions, std::shared_ptr<ssl_ctx_st> context, ssl_st* ssl,
                       TlsSide side, int socket, ChunkPool& chunks)
    : functions_(functions),
      context_(std::move(context)),
      ssl_(ssl),
      sealed_(chunks),
      chunks_(chunks),
      socket_(socket) {
  BIO* bio = functions.BIO_new(bio_kind(functions));
  functions.BIO_set_data(bio, this);
  functions.BIO_set_init(bio, 1);
  functions.SSL_set_bio(ssl, bio, bio);  // Owned by it, once for both.
  if (side == TlsSide::dialled)
    functions.SSL_set_connect_state(ssl);
  else
    functions.SSL_set_accept_state(ssl);
}

TlsChannel::~TlsChannel() { functions_.SSL_free(ssl_); }

int TlsChannel::receive_sealed(char* to, int room) {
  Moved moved = receive(socket_, to, static_cast<size_t>(room));
  waits_ = moved.then == Then::wait;
  if (moved.bytes > 0) {
    heard_ = true;
    return static_cast<int>(moved.bytes);
  }
  return moved.then == Then::ended ? 0 : -1;
}

// --- What went wrong.

// After a call that did not succeed. Remembers an end of any kind.
Then TlsChannel::after_failure(int returned) {
  int error = functions_.SSL_get_error(ssl_, returned);
  if (error == SSL_ERROR_WANT_READ) return Then::wait;
  if (error == SSL_ERROR_ZERO_RETURN) return dead_ = Then::ended;
  // An end that the other side's TLS did not announce may be somebody else's doing.
  unsigned long reason = functions_.ERR_peek_last_error();
  if (error == SSL_ERROR_SSL && ERR_GET_REASON(reason) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
    describe_fault();
  functions_.ERR_clear_error();
  return dead_ = Then::lost;
}

void TlsChannel::describe_fault() {
  unsigned long error = functions_.ERR_peek_last_error();
  int reason = ERR_GET_REASON(error);
  const char* words = functions_.ERR_reason_error_string(error);
  if (words == nullptr) words = "an error without a name";
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      fault_ = fmt::format(
          "its certificate is not to be trusted: {}",
          functions_.X509_verify_cert_error_string(functions_.SSL_get_verify_result(ssl_)));
      return;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      fault_ = "it shows no certificate";
      return;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
      fault_ = fmt::format("it does not speak TLS 1.2 or 1.3: {}", words);
      return;
    default:
      break;
  }
  // What the other side has told us comes as its number, after an offset.
  bool told = reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
  fault_ = told ? fmt::format("it refused: {}", words) : std::string(words);
}

// --- The beginning.

Stream::Handshake TlsChannel::shake_hands() {
  functions_.ERR_clear_error();
  int done = functions_.SSL_do_handshake(ssl_);
  Then then = done == 1 ? Then::more : after_failure(done);
  // Our part of it, or why we refuse.
  Then flushed = flush();
  if (then == Then::more) return Stream::Handshake::done;
  if (then == Then::wait && flushed != Then::lost) return Stream::Handshake::goes_on;
  if (fault_.empty() && heard_) fault_ = "it hung up in the middle of the handshake";
  return Stream::Handshake::failed;
}

// --- Reading.

Moved TlsChannel::read(char* to, size_t room) {
  if (dead_ != Then::more) return {0, dead_};
  size_t got = 0;
  while (got < room) {
    functions_.ERR_clear_error();
    int size = functions_.SSL_read(ssl_, to + got,
                                   static_cast<int>(std::min<size_t>(room - got, INT32_MAX)));
    if (size > 0) {
      got += static_cast<size_t>(size);
      continue;
    }
    Then then = after_failure(size);
    if (sealed_.size() > unasked_max && then == Then::wait) {
      fault_ = "it asks for new keys, and does not read them";
      then = dead_ = Then::lost;
    }
    // An end is told alone, the next time.
    if (got > 0 && then != Then::wait) then = Then::more;
    return {got, then};
  }
  return {got, Then::more};
}

Then TlsChannel::peek() {
  if (dead_ != Then::more) return dead_;
  char byte = 0;
  functions_.ERR_clear_error();
  int size = functions_.SSL_peek(ssl_, &byte, 1);
  return size > 0 ? Then::more : after_failure(size);
}

// --- Writing.

Moved TlsChannel::write(const Outbox::Span* spans, size_t count) {
  if (Then then = flush(); then != Then::more) return {0, then};
  // What was sealed in an earlier call has gone, and is the beginning of these spans.
  if (stands_for_ > 0) return {std::exchange(stands_for_, 0), Then::more};
  stands_for_ = seal(spans, count);
  Then then = flush();
  if (then != Then::more) return {0, then};
  return {std::exchange(stands_for_, 0), Then::more};
}

// Seals what there is, up to a limit; returns how many bytes.
size_t TlsChannel::seal(const Outbox::Span* spans, size_t count) {
  std::unique_ptr<char[]> gathered;
  size_t waiting = 0;  // In `gathered`.
  size_t done = 0;
  bool fine = true;
  for (size_t i = 0; fine && i < count && done < sealed_at_once_max; ++i) {
    const char* data = spans[i].data;
    size_t left = spans[i].size;
    while (fine && left > 0 && done < sealed_at_once_max) {
      size_t step = std::min(left, record_max - waiting);
      bool alone = waiting == 0 && (step == record_max || i + 1 == count);
      if (alone) {
        fine = seal_record(data, step);
      } else {
        if (!gathered) gathered = chunks_.take(ChunkPool::large_size);
        std::memcpy(gathered.get() + waiting, data, step);
        waiting += step;
        if (waiting == record_max) fine = seal_record(gathered.get(), std::exchange(waiting, 0));
      }
      data += step;
      left -= step;
      done += step;
    }
  }
  if (fine && waiting > 0) fine = seal_record(gathered.get(), waiting);
  if (gathered) chunks_.give_back(std::move(gathered), ChunkPool::large_size);
  if (!fine) dead_ = Then::lost;
  return done;
}

bool TlsChannel::seal_record(const char* data, size_t size) {
  functions_.ERR_clear_error();
  int written = functions_.SSL_write(ssl_, data, static_cast<int>(size));
  if (written == static_cast<int>(size)) return true;
  describe_fault();
  functions_.ERR_clear_error();
  return false;
}

Then TlsChannel::flush() {
  if (dead_ == Then::lost && fault_.empty()) return Then::lost;
  while (!sealed_.empty()) {
    std::array<Outbox::Span, pieces_per_write> spans;
    size_t count = sealed_.gather(spans.data(), spans.size());
    Moved moved = transmit(socket_, spans.data(), count);
    sealed_.consume(moved.bytes);
    if (moved.then != Then::more) return moved.then;
  }
  return dead_ == Then::lost ? Then::lost : Then::more;
}

Then TlsChannel::say_end() {
  if (!std::exchange(said_end_, true) && dead_ != Then::lost) {
    functions_.ERR_clear_error();
    functions_.SSL_shutdown(ssl_);
    functions_.ERR_clear_error();
  }
  return flush();
}

std::string TlsChannel::certified_name() const {
  X509* certificate = functions_.SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return "";
  std::string name = alternative_name(functions_, certificate);
  if (name.empty()) name = subject(functions_, certificate);
  functions_.X509_free(certificate);
  return name;
}

}  // namespace tram::net
