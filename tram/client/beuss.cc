#include "tram/client/beuss.h"

#include <fmt/core.h>

namespace tram::client {

using base::Bytes;
using base::BytesView;
using base::Clock;
using base::Duration;
using base::Errc;
using base::failure;
using base::Result;
using base::Time;

namespace {

Result<> check_name(std::string_view queue) {
  bool valid = !queue.empty() && queue.size() <= Beuss::name_bytes && queue.front() != ' ' &&
               queue.back() != ' ' && queue != "QUIT";
  for (char c : queue) valid = valid && static_cast<unsigned char>(c) >= ' ' && c != 127;
  if (valid) return {};
  return failure(Errc::invalid_queue_name,
                 fmt::format("'{}': beuss takes 1 to {} bytes", queue, Beuss::name_bytes));
}

}  // namespace

Result<Bytes> beuss_put_frame(std::string_view queue, BytesView content, size_t message_bytes_max) {
  if (auto valid = check_name(queue); !valid) return std::unexpected(valid.error());
  if (content.empty()) return failure(Errc::invalid_argument, "beuss has no empty messages");
  if (Beuss::name_bytes + content.size() > message_bytes_max) {
    return failure(Errc::message_too_large,
                   fmt::format("{} bytes with the queue's name, and BMAXMESSAGESIZE is {}",
                               Beuss::name_bytes + content.size(), message_bytes_max));
  }
  Bytes frame(queue);
  frame.resize(Beuss::name_bytes, ' ');
  return frame.append(content);
}

Result<Beuss> Beuss::connect(BeussMode mode, BeussOptions options, const Clock& clock) {
  Time deadline = clock.now() + options.timeout;
  auto socket = Socket::connect(options.host, options.port, clock, deadline, options.stop);
  if (!socket) return std::unexpected(socket.error());
  Beuss beuss(std::move(*socket), std::move(options), clock);
  if (auto sent = beuss.send(mode == BeussMode::put ? "PUT" : "GET"); !sent) {
    return std::unexpected(sent.error());
  }
  auto word = beuss.receive_word();
  if (!word) return std::unexpected(word.error());
  if (*word != "OK") return failure(Errc::protocol_error, "what listens there is not beuss");
  return beuss;
}

Result<> Beuss::put(std::string_view queue, BytesView content) {
  auto frame = beuss_put_frame(queue, content, options_.message_bytes_max);
  if (!frame) return std::unexpected(frame.error());
  if (auto sent = send(*frame); !sent) return sent;
  auto word = receive_word();
  if (!word) return std::unexpected(word.error());
  if (*word == "OK") return {};
  return failure(Errc::protocol_error, "the server answered " + *word);
}

Result<std::optional<Bytes>> Beuss::get(std::string_view queue) {
  if (auto valid = check_name(queue); !valid) return std::unexpected(valid.error());
  if (auto sent = send(queue); !sent) return std::unexpected(sent.error());
  auto content = receive(options_.message_bytes_max);
  if (!content) return std::unexpected(content.error());
  if (*content == "EMPTY") return std::nullopt;
  if (*content == "KO") return failure(Errc::protocol_error, "the server answered KO");
  return std::move(*content);
}

void Beuss::quit() {
  (void)send("QUIT");
  socket_.close();
}

Result<> Beuss::send(BytesView bytes) {
  Time deadline = clock_->now() + options_.timeout;
  while (!bytes.empty()) {
    auto sent = socket_.send(bytes);
    if (!sent) return std::unexpected(sent.error());
    bytes.remove_prefix(*sent);
    if (bytes.empty()) break;
    auto ready = socket_.wait(true, *clock_, deadline, options_.stop);
    if (!ready) return std::unexpected(ready.error());
    if (clock_->now() >= deadline) return failure(Errc::timed_out, "sending");
  }
  return {};
}

Result<Bytes> Beuss::receive_word() {
  // OK and KO are two bytes, and nothing follows them: no need to wait for a pause.
  Bytes word;
  Time deadline = clock_->now() + options_.timeout;
  while (word.size() < 2) {
    char bytes[2];
    auto count = socket_.receive(bytes, 2 - word.size());
    if (!count) return std::unexpected(count.error());
    if (*count) {
      word.append(bytes, **count);
      continue;
    }
    auto ready = socket_.wait(false, *clock_, deadline, options_.stop);
    if (!ready) return std::unexpected(ready.error());
    if (!ready->readable) return failure(Errc::timed_out, "no answer came");
  }
  return word;
}

Result<Bytes> Beuss::receive(size_t most) {
  Bytes content;
  Time deadline = clock_->now() + options_.timeout;
  while (content.size() < most) {
    char bytes[64 * 1024];
    auto count = socket_.receive(bytes, std::min(sizeof bytes, most - content.size()));
    if (!count) {
      // The end of the stream is as good an end of the content as a pause.
      if (!content.empty()) return content;
      return std::unexpected(count.error());
    }
    if (*count) {
      content.append(bytes, **count);
      // One write is never cut below the least segment, so a short answer is whole.
      constexpr size_t segment_bytes_least = 536;
      if (content.size() < segment_bytes_least) return content;
      continue;
    }
    Time until = content.empty() ? deadline : clock_->now() + options_.pause;
    auto ready = socket_.wait(false, *clock_, until, options_.stop);
    if (!ready) return std::unexpected(ready.error());
    if (ready->readable) continue;
    if (content.empty()) return failure(Errc::timed_out, "no answer came");
    return content;
  }
  return content;
}

}  // namespace tram::client
