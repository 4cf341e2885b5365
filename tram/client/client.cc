// What a client writes: publishing, subscribing, asking. Reading is in client_reading.cc,
// beginning and losing a connection in client_connecting.cc.
#include "tram/client/client.h"

#include <fmt/core.h>

#include "tram/client/subject.h"

namespace tram::client {

using base::BytesView;
using base::Duration;
using base::Errc;
using base::failure;
using base::Result;

Result<> Client::check_connected() {
  if (closed_) return failure(Errc::connection_lost, "this client was closed");
  if (connection_) return {};
  // From inside a handler there is no waiting for a new connection.
  if (reading_ || !options_.reconnect) return failure(Errc::connection_lost);
  return ensure_connected(clock_.now() + options_.connect_timeout);
}

Result<> Client::publish(BytesView subject, BytesView payload, BytesView reply, BytesView headers) {
  if (auto valid = check_publish_subject(subject); !valid) return valid;
  if (!reply.empty()) {
    if (auto valid = check_publish_subject(reply); !valid) return valid;
  }
  if (!connection_) {
    if (auto connected = check_connected(); !connected) return connected;
  }
  if (payload.size() + headers.size() > info_.payload_bytes_max) {
    return failure(Errc::message_too_large,
                   fmt::format("{} bytes, and {} takes {}", payload.size() + headers.size(),
                               address().text(), info_.payload_bytes_max));
  }
  if (!headers.empty() && !info_.headers) {
    return failure(Errc::invalid_header, "this server does not take headers");
  }
  connection_->write_publish(subject, reply, headers, payload);
  unflushed_ = true;
  return connection_->unsent() < options_.write_buffer_bytes ? Result<>() : send_if_full();
}

Result<> Client::send_if_full() {
  auto sent = connection_->send_some();
  if (sent && connection_->unsent() > 4 * options_.write_buffer_bytes) {
    sent = connection_->send_until(options_.write_buffer_bytes, clock_, base::Time::never(),
                                   options_.stop);
  }
  if (sent || sent.error().code == Errc::cancelled) return sent;
  return std::unexpected(lose(absorb_last_words(sent.error())));
}

Result<> Client::respond(const Message& message, BytesView payload, BytesView headers) {
  if (message.reply.empty()) return failure(Errc::no_responders, "no answer was asked for");
  return publish(message.reply, payload, {}, headers);
}

Result<SubscriptionId> Client::subscribe(BytesView subject, SubscribeOptions options,
                                         Handler handler) {
  if (auto valid = check_subscribe_subject(subject); !valid) return std::unexpected(valid.error());
  if (auto valid = check_group(options.group); !valid) return std::unexpected(valid.error());
  if (auto connected = check_connected(); !connected) return std::unexpected(connected.error());
  auto subscription = std::make_unique<Subscription>();
  subscription->subject = subject;
  subscription->group = std::move(options.group);
  subscription->messages_max = options.messages_max;
  subscription->handler = std::move(handler);
  uint64_t sid = ++last_sid_;
  write_subscription(sid, *subscription);
  subscriptions_.emplace(sid, std::move(subscription));
  return SubscriptionId{sid};
}

void Client::write_subscription(uint64_t sid, Subscription& subscription) {
  connection_->write_subscribe(subscription.subject, subscription.group, sid);
  if (subscription.messages_max != 0) {
    connection_->write_unsubscribe(sid, subscription.messages_max);
  }
}

void Client::unsubscribe(SubscriptionId id, uint64_t messages_max) {
  auto found = subscriptions_.find(id.value);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = *found->second;
  if (messages_max > subscription.received) {
    subscription.messages_max = messages_max;
    if (connection_) connection_->write_unsubscribe(id.value, messages_max);
    return;
  }
  if (connection_) connection_->write_unsubscribe(id.value, 0);
  if (recent_ == &subscription) recent_ = nullptr;
  ended_.push_back(std::move(found->second));
  subscriptions_.erase(found);
  if (!reading_) ended_.clear();
}

std::string Client::new_inbox() { return fmt::format("{}-{}", inbox_, ++inboxes_made_); }

Result<uint64_t> Client::request_later(BytesView subject, BytesView payload,
                                       const RequestOptions& options, ReplyHandler handler) {
  if (replies_sid_ == 0) {
    auto replies = subscribe(inbox_ + ".*", {}, [this](const Message& message) {
      uint64_t number = 0;
      for (char c : message.subject.substr(inbox_.size() + 1)) {
        if (c < '0' || c > '9') return;
        number = number * 10 + static_cast<uint64_t>(c - '0');
      }
      requests_.deliver(number, message);
    });
    if (!replies) return std::unexpected(replies.error());
    replies_sid_ = replies->value;
  }
  uint64_t number =
      requests_.add(std::move(handler), options.replies_max, clock_.now() + options.timeout);
  auto reply = fmt::format("{}.{}", inbox_, number);
  auto published = publish(subject, payload, reply, options.headers);
  if (!published) {
    requests_.remove(number);
    return std::unexpected(published.error());
  }
  return number;
}

void Client::close() {
  if (connection_) {
    // What is still buffered gets one chance: a stuck server must not hold up the end.
    (void)connection_->send_some();
    connection_.reset();
  }
  closed_ = true;
  requests_.fail_all({Errc::connection_lost, "this client was closed"});
}

Client::~Client() {
  options_.on_event = nullptr;
  close();
}

}  // namespace tram::client
