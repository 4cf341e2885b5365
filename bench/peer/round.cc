#include "bench/peer/round.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <sys/resource.h>
#include <thread>

namespace bench {

namespace {

// Of all threads that this process has had.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void send_parts(const Round& round, const Send& send, uint64_t first, uint64_t last) {
  if (round.senders == 1) return send(first, last);
  std::vector<std::thread> threads;
  uint64_t part = (last - first) / round.senders;
  for (unsigned i = 0; i < round.senders; ++i) {
    uint64_t from = first + i * part;
    uint64_t to = i + 1 == round.senders ? last : from + part;
    threads.emplace_back([&send, from, to] { send(from, to); });
  }
  for (std::thread& thread : threads) thread.join();
}

double percentile_us(const std::vector<uint64_t>& sorted, size_t percent) {
  return static_cast<double>(sorted[(sorted.size() - 1) * percent / 100]) * 1e-3;
}

}  // namespace

void write_number(std::string& message, uint64_t number) {
  std::memcpy(message.data(), &number, sizeof number);
}

uint64_t now_ns() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

bool Tally::add(const char* head, size_t size) {
  uint64_t number = 0;
  std::memcpy(&number, head, sizeof number);
  if (size != round_.size) problem_ = fmt::format("a message of {} bytes came", size);
  if (round_.senders == 1 && round_.kind != "connect" && number != came_)
    problem_ = fmt::format("message {} came in the place of {}", number, came_);
  sum_ += number;
  ++came_;
  if (came_ == round_.warm) {
    cpu_began_ = cpu_seconds();
    say("warm");
  }
  if (!is_over()) return false;
  uint64_t end = now_ns();
  double cpu = cpu_seconds() - cpu_began_;
  if (sum_ != came_ * (came_ - 1) / 2) problem_ = "some came twice, and others not at all";
  say(fmt::format(R"({{"end":{},"cpu":{:.6f},"problem":"{}"}})", end, cpu, problem_));
  return true;
}

void say(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void wait_for_run() {
  std::string line;
  std::getline(std::cin, line);
}

void give_up(std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  std::_Exit(1);
}

void send_round(const Round& round, const Send& send, std::vector<uint64_t>* latencies) {
  send_parts(round, send, 0, round.warm);
  wait_for_run();
  if (latencies != nullptr) latencies->clear();
  double cpu_began = cpu_seconds();
  uint64_t begin = now_ns();
  send_parts(round, send, round.warm, round.all());
  wait_for_run();
  std::string more;
  double cpu = cpu_seconds() - cpu_began;
  if (latencies != nullptr) {
    std::ranges::sort(*latencies);
    more = fmt::format(R"(,"p50_us":{:.2f},"p99_us":{:.2f})", percentile_us(*latencies, 50),
                       percentile_us(*latencies, 99));
  }
  say(fmt::format(R"({{"begin":{},"cpu":{:.6f}{}}})", begin, cpu, more));
}

}  // namespace bench

int main(int argc, char** argv) {
  if (argc < 8) {
    fmt::print(stderr,
               "{} receive|send CONTESTANT KIND SIZE WARM COUNT SENDERS [ADDRESS]\n"
               "It is bench/peer/run that calls this: bench/peer/README.md.\n",
               argv[0]);
    return 2;
  }
  bench::Round round{.receives = std::strcmp(argv[1], "receive") == 0,
                     .contestant = argv[2],
                     .kind = argv[3],
                     .size = std::strtoul(argv[4], nullptr, 10),
                     .warm = std::strtoul(argv[5], nullptr, 10),
                     .count = std::strtoul(argv[6], nullptr, 10),
                     .senders = static_cast<unsigned>(std::strtoul(argv[7], nullptr, 10)),
                     .address = argc > 8 ? argv[8] : ""};
  if (round.contestant == "tcp")
    bench::run_sockets(round);
  else
    bench::run_tram(round);
}
