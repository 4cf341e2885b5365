#include "tram/net/stream.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tram/net/tls/channel.h"

namespace tram::net {

namespace {

constexpr int drained_reads_max = 4;
constexpr size_t pieces_per_write = 32;

Moved::Then after_error() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? Moved::Then::wait : Moved::Then::lost;
}

}  // namespace

Moved receive(int socket, char* to, size_t room) {
  ssize_t size = ::recv(socket, to, room, 0);
  if (size < 0) return {0, after_error()};
  if (size == 0) return {0, Moved::Then::ended};
  auto bytes = static_cast<size_t>(size);
  return {bytes, bytes < room ? Moved::Then::wait : Moved::Then::more};
}

Moved transmit(int socket, const Outbox::Span* spans, size_t count) {
  if (count == 0) return {};
  std::array<iovec, pieces_per_write> buffers;
  count = std::min(count, buffers.size());
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    buffers[i] = {const_cast<char*>(spans[i].data), spans[i].size};
    total += spans[i].size;
  }
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = count;
  ssize_t written = count == 1 ? ::send(socket, spans[0].data, total, MSG_NOSIGNAL)
                               : ::sendmsg(socket, &message, MSG_NOSIGNAL);
  if (written < 0) return {0, after_error()};
  // A short write means a full kernel: asking again would only be told so.
  auto bytes = static_cast<size_t>(written);
  return {bytes, bytes < total ? Moved::Then::wait : Moved::Then::more};
}

Stream::Stream(int socket, std::unique_ptr<TlsChannel> tls)
    : tls_(std::move(tls)), socket_(socket) {}

Stream::~Stream() = default;

void Stream::close() { ::close(socket_); }

Stream::Handshake Stream::shake_hands() { return tls_ ? tls_->shake_hands() : Handshake::done; }

Moved Stream::read(char* to, size_t room) {
  return tls_ ? tls_->read(to, room) : receive(socket_, to, room);
}

Moved::Then Stream::peek() {
  if (tls_) return tls_->peek();
  char byte = 0;
  ssize_t size = ::recv(socket_, &byte, 1, MSG_PEEK);
  if (size < 0) return after_error();
  return size == 0 ? Moved::Then::ended : Moved::Then::more;
}

Moved::Then Stream::drain(char* buffer, size_t room) {
  for (int i = 0; i < drained_reads_max; ++i) {
    // Through TLS, as what comes may be that the other side refuses our certificate.
    Moved moved = tls_ && tls_->alive() ? tls_->read(buffer, room) : receive(socket_, buffer, room);
    if (moved.bytes == 0) return moved.then;
  }
  return Moved::Then::more;
}

Moved Stream::write(const Outbox::Span* spans, size_t count) {
  return tls_ ? tls_->write(spans, count) : transmit(socket_, spans, count);
}

bool Stream::unsent() const { return tls_ && tls_->unsent(); }

Moved::Then Stream::say_end() {
  Moved::Then then = tls_ ? tls_->say_end() : Moved::Then::more;
  if (then != Moved::Then::wait) ::shutdown(socket_, SHUT_WR);
  return then;
}

BytesView Stream::fault() const { return tls_ ? BytesView(tls_->fault()) : BytesView(); }

std::string Stream::certified_name() const { return tls_ ? tls_->certified_name() : ""; }

}  // namespace tram::net
