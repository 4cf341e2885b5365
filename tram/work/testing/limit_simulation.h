// A downstream to try limits against, without a machine and without waiting: some servers behind
// one endless queue, requests that arrive by chance at a rate that changes, and a clock wound by
// hand. The same seed gives the same run. For tests and benches only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

#include "tram/base/random.h"
#include "tram/base/time.h"
#include "tram/work/limit_controller.h"

namespace tram::work::simulation {

struct Downstream {
  uint32_t servers = 20;
  double service_seconds = 0.010;
  bool exponential = false;  // Otherwise within 10 % of service_seconds.
  double timeout_seconds = 0.5;
  // What changes with time, all by the second.
  std::function<double(double)> arrivals_per_second = [](double) { return 4000; };
  std::function<double(double)> slowness = [](double) { return 1; };       // Of each service.
  std::function<double(double)> delay_seconds = [](double) { return 0; };  // Of the way there.
  std::function<uint32_t(double)> servers_missing = [](double) { return 0; };
  std::function<bool(double)> lost = [](double) { return false; };  // Never answers.
};

struct Answer {
  double at, latency;
  Outcome outcome;
};
struct LimitAt {
  double at;
  uint32_t limit, in_flight;
};

struct History {
  std::vector<Answer> answers;
  std::vector<LimitAt> limits;  // Each 10 ms.

  double answered_per_second(double from, double to) const {
    double count = 0;
    for (const Answer& a : answers) count += a.at >= from && a.at < to && a.outcome == Outcome::ok;
    return count / (to - from);
  }
  // In seconds, of what was answered; 0 of nothing.
  double latency_quantile(double q, double from, double to) const {
    std::vector<double> all;
    for (const Answer& a : answers)
      if (a.at >= from && a.at < to && a.outcome == Outcome::ok) all.push_back(a.latency);
    if (all.empty()) return 0;
    auto place = all.begin() + static_cast<ptrdiff_t>(q * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), place, all.end());
    return *place;
  }
  uint32_t limit_min(double from, double to) const { return limit_extreme(from, to, false); }
  uint32_t limit_max(double from, double to) const { return limit_extreme(from, to, true); }
  double limit_mean(double from, double to) const {
    double sum = 0, count = 0;
    for (const LimitAt& l : limits)
      if (l.at >= from && l.at < to) sum += l.limit, ++count;
    return sum / std::max(count, 1.0);
  }

 private:
  uint32_t limit_extreme(double from, double to, bool most) const {
    uint32_t extreme = most ? 0 : UINT32_MAX;
    for (const LimitAt& l : limits)
      if (l.at >= from && l.at < to)
        extreme = most ? std::max(extreme, l.limit) : std::min(extreme, l.limit);
    return extreme;
  }
};

// `Controller` has limit() and add(sample, now).
template <class Controller>
class Simulation {
 public:
  Simulation(Controller& controller, Downstream downstream, uint64_t seed)
      : controller_(controller), downstream_(std::move(downstream)), random_(seed) {}

  // `keep_answers`: false for hours, where only the limits are looked at.
  History run(double seconds, bool keep_answers = true) {
    keep_answers_ = keep_answers;
    push(0, Kind::arrival, 0);
    push(0, Kind::look, 0);
    while (!events_.empty() && events_.top().at < seconds) {
      Event event = events_.top();
      events_.pop();
      now_ = event.at;
      switch (event.kind) {
        case Kind::arrival:
          arrive();
          break;
        case Kind::reach:
          reach(event.request);
          break;
        case Kind::served:
          served(event.request);
          break;
        case Kind::timeout:
          end(event.request, Outcome::timed_out);
          break;
        case Kind::look:
          look(keep_answers ? 0.01 : 1.0);
          break;
      }
    }
    return std::move(history_);
  }

 private:
  enum class Kind { arrival, reach, served, timeout, look };
  struct Event {
    double at;
    uint64_t order;
    Kind kind;
    uint64_t request;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Request {
    double began;
    uint32_t in_flight;
    bool ended = false;
  };

  void push(double at, Kind kind, uint64_t request) { events_.push({at, order_++, kind, request}); }
  double uniform() { return (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1p-53; }
  Request& at(uint64_t request) { return requests_[request - first_]; }

  void arrive() {
    push(now_ - std::log(uniform()) / downstream_.arrivals_per_second(now_), Kind::arrival, 0);
    if (in_flight_ >= controller_.limit()) return;
    ++in_flight_;
    const uint64_t request = first_ + requests_.size();
    requests_.push_back({now_, in_flight_});
    push(now_ + downstream_.timeout_seconds, Kind::timeout, request);
    if (!downstream_.lost(now_)) push(now_ + downstream_.delay_seconds(now_), Kind::reach, request);
  }
  void reach(uint64_t request) {
    waiting_.push_back(request);
    serve();
  }
  void serve() {
    const uint32_t missing = std::min(downstream_.servers, downstream_.servers_missing(now_));
    const uint32_t servers = downstream_.servers - missing;
    while (busy_ < servers && !waiting_.empty()) {
      ++busy_;
      const double noise = downstream_.exponential ? -std::log(uniform()) : 0.9 + 0.2 * uniform();
      push(now_ + downstream_.service_seconds * downstream_.slowness(now_) * noise, Kind::served,
           waiting_.front());
      waiting_.pop_front();
    }
  }
  void served(uint64_t request) {
    --busy_;
    end(request, Outcome::ok);
    serve();
  }
  void end(uint64_t request, Outcome outcome) {
    if (request < first_ || at(request).ended)
      return;  // The other of answer and time-out was first.
    at(request).ended = true;
    const double latency = now_ - at(request).began;
    controller_.add({.latency = base::Duration::from_nanoseconds(std::llround(latency * 1e9)),
                     .in_flight = at(request).in_flight,
                     .outcome = outcome},
                    base::Time::from_nanoseconds(std::llround(now_ * 1e9)));
    --in_flight_;
    if (keep_answers_) history_.answers.push_back({now_, latency, outcome});
    for (; !requests_.empty() && requests_.front().ended; ++first_) requests_.pop_front();
  }
  void look(double every) {
    history_.limits.push_back({now_, controller_.limit(), in_flight_});
    push(now_ + every, Kind::look, 0);
  }

  Controller& controller_;
  Downstream downstream_;
  base::Random random_;
  History history_;
  bool keep_answers_ = true;
  std::priority_queue<Event> events_;
  uint64_t order_ = 0;
  double now_ = 0;
  uint32_t in_flight_ = 0, busy_ = 0;
  std::deque<uint64_t> waiting_;
  std::deque<Request> requests_;
  uint64_t first_ = 1;
};

}  // namespace tram::work::simulation
