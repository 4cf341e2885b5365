#include "tram/client/requests.h"

#include <algorithm>
#include <vector>

namespace tram::client {

using base::Errc;
using base::failure;
using base::Result;
using base::Time;

uint64_t Requests::add(ReplyHandler handler, uint64_t replies_max, Time deadline) {
  uint64_t number = ++last_number_;
  waiting_.emplace(number, Waiting{std::move(handler), replies_max, deadline});
  next_deadline_ = std::min(next_deadline_, deadline);
  return number;
}

void Requests::remove(uint64_t number) { waiting_.erase(number); }

// A handler may add and remove requests, its own too, so it is never called while it is in
// the table.
void Requests::deliver(uint64_t number, const Message& message) {
  auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  if (message.says_no_responders()) {
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    waiting.handler(failure(Errc::no_responders, std::string()));
    return;
  }
  if (--found->second.replies_left == 0) {
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    waiting.handler(message);
    return;
  }
  ReplyHandler handler = std::move(found->second.handler);
  handler(message);
  if (auto still = waiting_.find(number); still != waiting_.end()) {
    still->second.handler = std::move(handler);
  }
}

void Requests::expire(Time now) {
  if (now < next_deadline_) return;
  std::vector<uint64_t> late;
  next_deadline_ = Time::never();
  for (const auto& [number, waiting] : waiting_) {
    if (waiting.deadline <= now) {
      late.push_back(number);
    } else {
      next_deadline_ = std::min(next_deadline_, waiting.deadline);
    }
  }
  std::sort(late.begin(), late.end());  // in the order in which they were asked
  for (uint64_t number : late) {
    auto found = waiting_.find(number);
    if (found == waiting_.end()) continue;
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    waiting.handler(failure(Errc::timed_out, "no reply came"));
  }
}

void Requests::fail_all(const base::Error& error) {
  std::vector<uint64_t> numbers;
  for (const auto& [number, waiting] : waiting_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  for (uint64_t number : numbers) {
    auto found = waiting_.find(number);
    if (found == waiting_.end()) continue;
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    waiting.handler(std::unexpected(error));
  }
}

}  // namespace tram::client
