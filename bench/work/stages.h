// Row 5: jobs go through three stages, each of which does the same: spin for a while, or write a
// map of 100 strings of 100 characters to 100 others as JSON and read it back.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "measure.h"

namespace bench {

// Keeps a processor busy for about a microsecond per `calibrated_turns`. It cannot be shortened by
// the compiler: each turn needs the one before.
inline uint64_t spin(uint64_t seed, uint64_t turns) {
  uint64_t x = seed | 1;
  for (; turns > 0; --turns) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

// Turns of `spin` in a microsecond of this processor when nobody disturbs: the best of many tries.
inline double turns_per_microsecond() {
  double best = 0;
  for (int attempt = 0; attempt < 50; ++attempt) {
    const auto start = Clock::now();
    volatile uint64_t keep = spin(static_cast<uint64_t>(attempt), 100'000);
    (void)keep;
    best = std::max(best, 100'000 / (seconds_since(start) * 1e6));
  }
  return best;
}

class Stages {
 public:
  static constexpr int count = 3;
  using Document = std::map<std::string, std::string>;

  struct Job {
    uint64_t number = 0;
    int stages_done = 0;
    uint64_t spun = 0;  // So that no compiler leaves the spinning out.
    std::shared_ptr<const Document> document;
  };

  // Reads the row's name: stages-spin-<microseconds>, or stages-json-<jobs>.
  explicit Stages(Row& row)
      : row_(row), json_(row.name().starts_with("stages-json")), seen_(row.size(), false) {
    if (json_) {
      document_ = std::make_shared<const Document>(make_document());
    } else {
      turns_ =
          static_cast<uint64_t>(turns_per_microsecond() * std::stod(std::string(row.last_word())));
    }
    Job job = make(0);
    double best = 1e9;  // What the bodies cost alone, on one processor, warm.
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto start = Clock::now();
      for (int turn = 0; turn < 5; ++turn) work(job);
      best = std::min(best, seconds_since(start) / 5);
    }
    work_seconds_ = best * count * static_cast<double>(row.size());
  }

  uint64_t jobs() const { return row_.size(); }
  // As the original's benchmark: 5 workers for 10 jobs, else 10. A library whose workers are the
  // processors' has two threads, and this many jobs of a stage at once.
  unsigned workers_each() const { return jobs() == 10 ? 5 : 10; }

  Job make(uint64_t number) const { return {number, 0, 0, document_}; }

  // The body of every stage.
  void work(Job& job) const {
    if (json_) {
      const std::string text = nlohmann::json(*job.document).dump();
      job.document = std::make_shared<const Document>(nlohmann::json::parse(text).get<Document>());
    } else {
      job.spun = spin(job.number, turns_);
    }
    ++job.stages_done;
  }

  // Called for each job that came out, by one thread at a time.
  void received(const Job& job) {
    row_.check(job.stages_done == count, "every stage did its work");
    row_.check(job.number < seen_.size() && !seen_[job.number], "each job came out once");
    if (json_) {  // All of one document in 64: comparing costs, and row 5 asks for what is left
                  // over.
      row_.check(job.number % 64 == 0 ? *job.document == *document_
                                      : job.document->size() == document_->size(),
                 "the document came out as it went in");
    }
    seen_[job.number] = true;
    ++received_;
  }

  // Calls `once` for each iteration, which takes all jobs through all stages; and verifies. Short
  // rows have more iterations, so that one process has about a thousand jobs.
  template <typename Once>
  void iterate(Once&& once) {
    const uint64_t iterations = json_ && jobs() < 1000 ? 1000 / jobs() : 1;
    for (uint64_t i = 0; i < iterations; ++i) {
      received_ = 0;
      seen_.assign(jobs(), false);
      once();
      row_.check_equal(received_, jobs(), "jobs that came out");
    }
    row_.units(jobs() * iterations);
    row_.note("work_seconds", work_seconds_ * static_cast<double>(iterations));
  }

 private:
  static Document make_document() {
    uint32_t random = 2463534242;
    auto word = [&random] {
      std::string letters(100, ' ');
      for (char& c : letters) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        c = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[random % 52];
      }
      return letters;
    };
    Document document;
    while (document.size() < 100) {
      std::string key = word();
      document.emplace(std::move(key), word());
    }
    return document;
  }

  Row& row_;
  bool json_;
  std::shared_ptr<const Document> document_;
  uint64_t turns_ = 0;
  uint64_t received_ = 0;
  double work_seconds_ = 0;
  std::vector<bool> seen_;
};

}  // namespace bench
