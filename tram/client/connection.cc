#include "tram/client/connection.h"

#include <charconv>
#include <cstring>

namespace tram::client {

using base::BytesView;
using base::Clock;
using base::Errc;
using base::failure;
using base::Result;
using base::Time;

namespace {

// As much as a socket usually has ready when a peer streams; measured, more gains nothing.
constexpr size_t read_size = 128 * 1024;

char* put(char* at, BytesView bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

char* put(char* at, uint64_t number) { return std::to_chars(at, at + 20, number).ptr; }

}  // namespace

Connection::Connection(Socket socket, std::shared_ptr<Buffer> shared, ParserLimits limits)
    : socket_(std::move(socket)),
      limits_(limits),
      in_(std::move(shared)),
      in_is_shared_(in_ != nullptr) {
  if (!in_) in_ = std::make_shared<Buffer>();
}

void Connection::write_publish(BytesView subject, BytesView reply, BytesView headers,
                               BytesView payload) {
  char* start = out_.room(subject.size() + reply.size() + headers.size() + payload.size() + 64);
  char* at = put(start, headers.empty() ? BytesView("PUB ") : BytesView("HPUB "));
  at = put(at, subject);
  *at++ = ' ';
  if (!reply.empty()) {
    at = put(at, reply);
    *at++ = ' ';
  }
  if (!headers.empty()) {
    at = put(at, headers.size());
    *at++ = ' ';
  }
  at = put(at, headers.size() + payload.size());
  at = put(at, "\r\n");
  at = put(at, headers);
  at = put(at, payload);
  at = put(at, "\r\n");
  out_.commit(static_cast<size_t>(at - start));
}

void Connection::write_subscribe(BytesView subject, BytesView group, uint64_t sid) {
  char* start = out_.room(subject.size() + group.size() + 40);
  char* at = put(put(start, "SUB "), subject);
  *at++ = ' ';
  if (!group.empty()) {
    at = put(at, group);
    *at++ = ' ';
  }
  at = put(put(at, sid), "\r\n");
  out_.commit(static_cast<size_t>(at - start));
}

void Connection::write_unsubscribe(uint64_t sid, uint64_t more) {
  char* start = out_.room(64);
  char* at = put(put(start, "UNSUB "), sid);
  if (more != 0) {
    *at++ = ' ';
    at = put(at, more);
  }
  at = put(at, "\r\n");
  out_.commit(static_cast<size_t>(at - start));
}

void Connection::write_line(BytesView line) {
  out_.append(line);
  out_.append("\r\n");
}

Result<> Connection::send_some() {
  while (!out_.empty()) {
    auto sent = socket_.send(out_.view());
    if (!sent) return std::unexpected(sent.error());
    if (*sent == 0) return {};
    out_.consume(*sent);
  }
  return {};
}

Result<> Connection::send_until(size_t most, const Clock& clock, Time deadline,
                                StopDescriptor stop) {
  for (;;) {
    if (auto sent = send_some(); !sent) return sent;
    if (out_.size() <= most) return {};
    if (aside_.size() < aside_bytes_max) {
      auto ready = socket_.wait(true, clock, deadline, stop);
      if (!ready) return std::unexpected(ready.error());
      if (!ready->readable && !ready->writable) return failure(Errc::timed_out, "sending");
      if (ready->readable) {
        if (auto read = read_aside(); !read) return read;
      }
    } else {
      // Not watching for input: with a full shelf it would wake us for nothing.
      auto step = std::min(deadline, clock.now() + base::Duration::from_milliseconds(1));
      if (auto paused = pause_until(clock, step, stop); !paused) return paused;
      if (clock.now() >= deadline) return failure(Errc::timed_out, "sending");
    }
  }
}

Result<> Connection::read_aside() {
  char bytes[64 * 1024];
  auto count = socket_.receive(bytes, sizeof bytes);
  if (!count) return std::unexpected(count.error());
  if (*count) aside_.append(bytes, **count);
  return {};
}

Result<bool> Connection::receive() {
  if (!aside_.empty()) {
    in_->append(aside_);
    aside_.clear();
    aside_.shrink_to_fit();
    return true;
  }
  // Room for the rest of a large message at once, but never much more than has come so far:
  // a size that is announced and not sent costs nothing.
  size_t wanted = read_size;
  if (needed_ > in_->size() + wanted)
    wanted = std::min(needed_ - in_->size(), in_->size() + wanted);
  char* room = in_->room(wanted);
  auto count = socket_.receive(room, in_->room_size());
  if (!count) return std::unexpected(count.error());
  if (!*count) return false;
  in_->commit(**count);
  return true;
}

Result<bool> Connection::next_frame(Frame& frame) {
  if (!may_have_frame()) return false;
  Parsed parsed = parse_frame(in_->view(), limits_, frame);
  switch (parsed.outcome) {
    case Parsed::Outcome::frame:
      needed_ = 0;
      in_->consume(parsed.bytes);  // moves the mark, not the bytes: the views stay
      return true;
    case Parsed::Outcome::more:
      needed_ = parsed.bytes;
      return false;
    case Parsed::Outcome::malformed:
      break;
  }
  return failure(Errc::protocol_error, "what the server sent is not the NATS protocol");
}

void Connection::unpark() {
  if (!in_is_shared_) return;
  in_->clear();
  in_->append(tail_);
  tail_.clear();
}

void Connection::park() {
  if (!in_is_shared_) return;
  tail_.assign(in_->view());
  in_->clear();
}

Result<Readiness> Connection::wait(const Clock& clock, Time deadline, StopDescriptor stop) const {
  if (!aside_.empty()) return Readiness{true, false};
  return socket_.wait(!out_.empty(), clock, deadline, stop);
}

}  // namespace tram::client
