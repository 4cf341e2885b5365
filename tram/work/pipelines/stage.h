// What a pipeline is made of, without the types of its items.
#pragma once

#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "tram/work/pipelines/token.h"
#include "tram/work/pools/worker_limit.h"
#include "tram/work/queues/line.h"
#include "tram/work/scope.h"

namespace tram::work {

// An item that a stage failed on.
struct DeadLetter {
  uint64_t number;  // Of the item, in the order of the source, from 0.
  std::string_view stage;
  const Error& error;
};

// What becomes of the others when one item fails: OnError::cancel stops the pipeline,
// OnError::keep_going drops the item, skip_to(f) also calls f(letter): on the thread that was at
// work, perhaps on several at once. If f throws, that stops the pipeline.
class ErrorPolicy {
 public:
  ErrorPolicy(OnError what) : what_(what) {}  // NOLINT: implicit, for `.on_error = OnError::cancel`
  friend ErrorPolicy skip_to(std::function<void(const DeadLetter&)> letters);

  bool stops() const { return what_ == OnError::cancel; }
  // May throw.
  void tell(const DeadLetter& letter) const {
    if (letters_) letters_(letter);
  }

 private:
  OnError what_;
  std::function<void(const DeadLetter&)> letters_;
};
inline ErrorPolicy skip_to(std::function<void(const DeadLetter&)> letters) {
  ErrorPolicy policy(OnError::keep_going);
  policy.letters_ = std::move(letters);
  return policy;
}

struct StageOptions {
  Workers workers = 0;  // Bodies at the same time; 0: as many as the runtime has workers.
  // Items that wait for this stage, besides those that run. While there is no room the stage before
  // begins nothing new. 0: one is handed on when somebody is free for it.
  size_t queue = 64;
  // Items are begun in the order of the source. Those that wait for an earlier one do not count as
  // waiting for this stage: what bounds them is the window.
  bool ordered = false;
  bool blocking = false;  // Bodies may block: each runs on a thread that is no worker meanwhile.
  ErrorPolicy on_error = OnError::cancel;
};

// A batch leaves when it is full, when nothing more can join it (everything is in it or behind it,
// and the source is at its end or the window is full), or `max_wait` after its first item came.
struct BatchStageOptions {
  size_t max_items = 100;
  base::Duration max_wait = std::chrono::milliseconds(1);
  Workers inflight = 1;  // Calls at the same time. Meanwhile up to max_items gather for the next.
  bool ordered = false;  // As of a stage.
  bool blocking = false;
  ErrorPolicy on_error = OnError::cancel;  // Of each item.
};

// What is different from stage to stage. Threads: bodies are called by many at once.
class StageBase {
 public:
  struct Setup {
    std::string name;
    std::source_location at;
    StageOptions options;
    bool takes_batches = false;
    size_t batch_max = 0;  // Of those,
    base::Duration max_wait = {};
  };
  explicit StageBase(Setup setup) : setup_(std::move(setup)) {}
  virtual ~StageBase() = default;
  StageBase(const StageBase&) = delete;
  StageBase& operator=(const StageBase&) = delete;
  const Setup& setup() const { return setup_; }
  const std::string& name() const { return setup_.name; }
  bool makes_batches() const { return setup_.takes_batches; }

  // Puts what the body gives in the item's place, or drops it. Do not throw. One of these two: of
  // one item, or of a batch, where `failures` has a place for each.
  virtual std::optional<Error> process(Token& token, const Context& context);
  virtual void process_many(const std::vector<Token*>& tokens, const Context& context,
                            std::vector<std::optional<Error>>& failures);

 private:
  const Setup setup_;
};

class SourceBase {
 public:
  virtual ~SourceBase() = default;
  // False at the end. Does not throw. One thread at a time.
  virtual Result<bool> pull(Token& token, const Context& context) = 0;
};

// Of what ends a pipeline: it takes one item at a time.
struct EndOptions {
  size_t queue = 64;  // As of a stage.
  bool ordered = true;
  bool blocking = false;
  ErrorPolicy on_error = OnError::cancel;
};

struct StageStats {
  std::string name;
  uint64_t items = 0;  // That were begun.
  uint64_t failed = 0;
  uint64_t dropped = 0;  // By its body, as a filter.
  uint64_t batches = 0;
  size_t queue_max = 0;      // Most that waited for it.
  unsigned running_max = 0;  // Most bodies, or calls, at the same time.
};

struct PipelineStats {
  uint64_t items = 0;        // That came from the source.
  size_t in_flight_max = 0;  // At most the window.
  std::vector<StageStats> stages;
};

struct PipelineOptions {
  std::stop_token stop = {};
  // Items under way in the whole pipeline, wherever they are.
  size_t window = 1024;
  base::Duration timeout = base::Duration::forever();
  std::string name = "pipeline";
  // Where to put how it went, once it is over.
  PipelineStats* stats = nullptr;
};

}  // namespace tram::work
