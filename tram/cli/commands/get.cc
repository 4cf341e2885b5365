// tram get QUEUE [FILE]
#include <unistd.h>

#include "tram/cli/delivery_text.h"
#include "tram/cli/files.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"
#include "tram/client/queue.h"

namespace tram::cli {

using base::Duration;
using base::Error;
using base::Result;
using client::Delivery;
using client::Queues;

namespace {

class Get final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("QUEUE", queue_, "the queue to take from");
    options.optional("FILE", file_, "where to write the message; standard output if left out or -");
    options.duration("-w,--wait", wait_, "TIME",
                     "wait so long for a message (default 0: not at all)");
    options.number("-n,--count", count_, "N", "take up to so many (default 1)", 1);
    options.flag("--null", null_, "a zero byte after each message");
    options.flag("--newline", newline_, "a line break after each message");
  }
  std::vector<Example> examples() const override {
    return {{"tram get jobs", ""},
            {"tram get pics /tmp/pic.jpg", "byte for byte what was put"},
            {"tram get jobs --wait 5s", "exits with 3 if none comes in five seconds"},
            {"tram get jobs -n 10 --json", "up to ten, one JSON object per line"}};
  }
  std::string_view notes() const override {
    return "The message is written first and acknowledged after that: if it cannot be written, it\n"
           "goes back to its place in the queue. A file is replaced whole or not at all.\n"
           "With -n, a line break follows each message unless --null is given.\n";
  }
  int run(Context& context) override;

 private:
  Result<> deliver(Context& context, const Delivery& delivery) const;

  std::string queue_;
  std::optional<std::string> file_;
  Duration wait_;
  uint64_t count_ = 1;
  bool null_ = false;
  bool newline_ = false;
};

Result<> Get::deliver(Context& context, const Delivery& delivery) const {
  if (file_ && *file_ != "-") return write_file(*file_, delivery.payload);
  if (context.json()) return context.print(delivery_json(delivery) + "\n");
  base::Bytes bytes = delivery.payload;
  if (null_) {
    bytes += '\0';
  } else if (newline_ || count_ > 1) {
    bytes += '\n';
  }
  return context.print(bytes);
}

int Get::run(Context& context) {
  if (file_ && *file_ != "-" && count_ > 1) {
    return context.refuse("a file holds one message, so -n does not go with FILE");
  }
  Signals signals;
  auto client = context.connect(signals.stop());
  if (!client) return context.fail(client.error());
  Queues queues(**client, context.globals().timeout);

  uint64_t got = 0;
  while (got < count_) {
    // One at a time: what is leased and not written would be held up for nothing.
    auto taken = queues.take(queue_, {.n = 1, .wait = got == 0 ? wait_ : Duration()});
    if (!taken && signals.stopped()) return exit_interrupted;
    if (!taken) return context.fail(taken.error());
    if (taken->empty()) break;
    const Delivery& delivery = taken->front();
    if (auto written = deliver(context, delivery); !written) {
      (*client)->set_stop({});
      (void)queues.release(delivery);
      int code = context.fail(written.error());
      context.say("the message is back in {}", queue_);
      return code;
    }
    if (auto acked = queues.ack(delivery); !acked) {
      context.say("message {} was written, but its acknowledgement failed: it may come again",
                  delivery.id);
      return context.fail(acked.error());
    }
    ++got;
  }
  if (got != 0) return exit_ok;
  context.say("{} is empty", queue_);
  return exit_nothing;
}

}  // namespace

std::unique_ptr<Verb> make_get() { return std::make_unique<Get>(); }

}  // namespace tram::cli
