// tram sub SUBJECT...
#include <fmt/format.h>
#include <unistd.h>

#include "tram/cli/message_text.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

using base::Duration;
using base::Errc;
using base::Error;
using base::Result;
using client::Message;

namespace {

class Sub final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("SUBJECT", first_, "what to listen to; * is any word, a last > any words");
    options.rest("SUBJECT", more_, "and to these");
    options.text("-g,--group", group_, "NAME", "share the messages with others of this group");
    options.number("-n,--count", count_, "N", "end after so many messages", 1);
    options.duration("-w,--wait", wait_, "TIME", "end when nothing came for so long");
    options.flag("--raw", style_.raw, "the payloads and nothing between them");
    options.flag("--null", style_.null, "a zero byte after each message, not a line break");
    options.flag("--subjects", style_.subjects, "the subject before each message");
    options.flag("--headers", style_.headers, "the headers before each message");
    options.flag("--timestamps", style_.timestamps, "when it came, before each message");
  }
  std::vector<Example> examples() const override {
    return {{"tram sub 'orders.>'", "until Ctrl-C"},
            {"tram sub 'orders.*.paid' -n 5 --subjects", "five messages, each with its subject"},
            {"tram sub jobs.new --group workers --json", "sharing with other workers"}};
  }
  std::string_view notes() const override {
    return "Ctrl-C and SIGTERM end it with 0. When --wait runs out before any message came, it\n"
           "ends with 3. A lost connection is made again; what was published meanwhile is "
           "missed.\n";
  }
  int run(Context& context) override;

 private:
  std::string first_;
  std::vector<std::string> more_;
  std::string group_;
  uint64_t count_ = 0;
  Duration wait_ = Duration::forever();
  MessageStyle style_;
};

int Sub::run(Context& context) {
  style_.json = context.json();
  Signals signals;
  auto client = context.connect(signals.stop());
  if (!client) return context.fail(client.error());

  uint64_t came = 0;
  std::string out;
  auto enough = [&] { return count_ != 0 && came >= count_; };
  auto print = [&](const Message& message) {
    if (enough()) return;
    ++came;
    append_message(out, message, style_,
                   style_.timestamps ? context.clock().wall_nanoseconds() : 0);
  };
  more_.insert(more_.begin(), first_);
  for (const std::string& subject : more_) {
    auto subscribed = (*client)->subscribe(subject, {.group = group_}, print);
    if (!subscribed) return context.fail(subscribed.error());
  }
  if (auto flushed = (*client)->flush(context.globals().timeout); !flushed) {
    return signals.stopped() ? int(exit_ok) : context.fail(flushed.error());
  }
  context.say("listening to {}", fmt::join(more_, ", "));

  // A batch is printed at once: `out` is full again only when the socket was.
  constexpr size_t print_bytes = 64 * 1024;
  while (true) {
    if (!out.empty()) {
      auto printed = context.print(out);
      out.clear();
      if (!printed) return context.fail(printed.error());
    }
    if (enough()) return exit_ok;
    uint64_t before = came;
    auto one_batch = [&] {
      return came != before &&
             ((*client)->input_drained() || out.size() >= print_bytes || enough());
    };
    auto run = (*client)->run_until(one_batch, wait_);
    if (run) continue;
    if (signals.stopped()) return exit_ok;
    if (Signals::output_closed()) return exit_failed;
    if (run.error().code != Errc::timed_out) return context.fail(run.error());
    if (came != 0 && count_ == 0) return exit_ok;
    context.say("{}", came == 0 ? "nothing came" : "no more came");
    return exit_nothing;
  }
}

}  // namespace

std::unique_ptr<Verb> make_sub() { return std::make_unique<Sub>(); }

}  // namespace tram::cli
