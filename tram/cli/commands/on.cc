// tram on QUEUE
#include "tram/cli/delivery_text.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"
#include "tram/cli/workers.h"
#include "tram/client/queue.h"

namespace tram::cli {

using base::Duration;
using base::Errc;
using base::Error;
using base::Result;
using base::Time;
using client::Delivery;
using client::Queues;

namespace {

class On final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("QUEUE", queue_, "the queue to work off");
    options.text("-x,--exec", command_, "COMMAND",
                 "run this (with sh -c) per message, with the body on its standard input");
    options.number("-n,--count", count_, "N", "end after so many messages", 1);
    options.duration("--lease", lease_, "TIME", "how long a message is ours (default 30s)");
    options.number("--batch", batch_, "N", "take up to so many at once (default 1)", 1, 1000);
    options.flag("--raw", raw_, "nothing between the messages");
    options.flag("--null", null_, "a zero byte after each message, not a line break");
  }
  std::vector<Example> examples() const override {
    return {{"tram on jobs", "prints each message as it comes, until Ctrl-C"},
            {"tram on mails --exec 'sendmail -t'", "done when the command succeeds"},
            {"tram on jobs --json -n 10", ""}};
  }
  std::string_view notes() const override {
    return "A message is acknowledged once it is printed, or when COMMAND exits with 0; otherwise "
           "it\n"
           "goes back to its place. COMMAND finds TRAM_QUEUE, TRAM_ID, TRAM_ATTEMPT and\n"
           "TRAM_HEADER_... in its environment, and its lease is extended while it runs.\n"
           "Ctrl-C and SIGTERM end it with 0 and release what is in hand. A lost connection is "
           "made\n"
           "again. Nobody reading the output any more: 1.\n";
  }
  int run(Context& context) override;

 private:
  enum class Next { go_on, stop };
  Next serve(Context& context, Queues& queues, const std::vector<Delivery>& deliveries);
  Next print(Context& context, Queues& queues, const Delivery& delivery);
  Next execute(Context& context, Queues& queues, const Delivery& delivery);
  Result<int> run_command(Context& context, Queues& queues, const Delivery& delivery);
  void report(Context& context, const Delivery& delivery, const Error& error);
  int end(Context& context, Queues& queues);

  std::string queue_;
  std::string command_;
  uint64_t count_ = UINT64_MAX;
  Duration lease_ = std::chrono::seconds(30);
  uint64_t batch_ = 1;
  bool raw_ = false;
  bool null_ = false;

  const Signals* signals_ = nullptr;
  uint64_t served_ = 0;
  bool worked_ = false;  // the broker has answered a take
  int code_ = exit_ok;
};

void On::report(Context& context, const Delivery& delivery, const Error& error) {
  context.say("message {} may come again: {}", delivery.id, error.text());
}

On::Next On::print(Context& context, Queues& queues, const Delivery& delivery) {
  base::Bytes bytes = context.json() ? delivery_json(delivery) : delivery.payload;
  if (context.json() || !(raw_ || null_)) bytes += '\n';
  if (null_ && !context.json()) bytes += '\0';
  if (auto printed = context.print(bytes); !printed) {
    if (!signals_->stopped()) code_ = context.fail(printed.error());
    queues.client().set_stop({});
    (void)queues.release(delivery);
    return Next::stop;
  }
  // Its answer is read along with the next message.
  auto acked =
      queues.ack_later(delivery, [this, &context, delivery_id = delivery.id](const Result<>& done) {
        if (!done) context.say("message {} may come again: {}", delivery_id, done.error().text());
      });
  if (!acked) report(context, delivery, acked.error());
  return Next::go_on;
}

// The command's exit code. Errors: cancelled; connection_lost, when the lease is gone with it.
Result<int> On::run_command(Context& context, Queues& queues, const Delivery& delivery) {
  Environment environment{{"TRAM_QUEUE", delivery.queue},
                          {"TRAM_ID", std::to_string(delivery.id)},
                          {"TRAM_ATTEMPT", std::to_string(delivery.attempt)}};
  add_headers(environment, client::HeadersView(delivery.headers));
  auto child = Child::start({"/bin/sh", "-c", command_}, environment, delivery.payload,
                            Child::Output::pass_through, 0);
  if (!child) return std::unexpected(child.error());
  Workers workers;
  std::optional<int> code;
  workers.add(std::move(*child), [&](const Child& ended) { code = ended.exit_code(); });

  Duration step = Duration::from_nanoseconds(lease_.nanoseconds() / 3);
  Time extend_at = context.clock().now() + step;
  Result<> turned;
  while (!code) {
    turned = workers.turn(queues.client(), extend_at, signals_->stop());
    if (code) break;
    if (!turned) {
      workers.stop_all(context.clock());
      return std::unexpected(turned.error());
    }
    if (context.clock().now() >= extend_at) {
      (void)queues.client().publish(delivery.answer_to, "+WPI");
      extend_at = context.clock().now() + step;
    }
  }
  return *code;
}

On::Next On::execute(Context& context, Queues& queues, const Delivery& delivery) {
  auto code = run_command(context, queues, delivery);
  if (!code && code.error().code == Errc::connection_lost) {
    report(context, delivery, code.error());
    return Next::go_on;
  }
  if (!code) {
    queues.client().set_stop({});
    (void)queues.release(delivery);
    if (code.error().code == Errc::cancelled) return Next::stop;
    code_ = context.fail(code.error());
    return Next::stop;
  }
  auto answered = *code == 0 ? queues.ack(delivery) : queues.release(delivery);
  if (*code != 0)
    context.say("message {}: the command exited with {}: released", delivery.id, *code);
  if (!answered && answered.error().code == Errc::cancelled) {
    queues.client().set_stop({});
    answered = *code == 0 ? queues.ack(delivery) : queues.release(delivery);
  }
  if (!answered) report(context, delivery, answered.error());
  if (*code != 0) {
    // It comes back at once: without a pause a command that always fails would spin.
    auto paused = client::pause_until(
        context.clock(), context.clock().now() + std::chrono::milliseconds(500), signals_->stop());
    if (!paused) return Next::stop;
  }
  return Next::go_on;
}

On::Next On::serve(Context& context, Queues& queues, const std::vector<Delivery>& deliveries) {
  for (size_t i = 0; i < deliveries.size(); ++i) {
    Next next = command_.empty() ? print(context, queues, deliveries[i])
                                 : execute(context, queues, deliveries[i]);
    if (next == Next::stop || signals_->stopped()) {
      if (next == Next::go_on) ++served_;
      queues.client().set_stop({});
      for (size_t j = i + 1; j < deliveries.size(); ++j) (void)queues.release(deliveries[j]);
      return Next::stop;
    }
    ++served_;
  }
  return Next::go_on;
}

// Waits for the answers to the last acknowledgements.
int On::end(Context& context, Queues& queues) {
  auto& client = queues.client();
  client.set_stop({});
  if (client.is_connected() && client.requests_waiting() != 0) {
    (void)client.run_until([&] { return client.requests_waiting() == 0; },
                           context.globals().timeout);
  }
  return code_;
}

int On::run(Context& context) {
  Signals signals;
  signals_ = &signals;
  auto client = context.connect(signals.stop());
  if (!client) return signals.stopped() ? int(exit_ok) : context.fail(client.error());
  Queues queues(**client, context.globals().timeout);

  // A long wait is one request per half minute, and an end to it if the broker forgot us.
  constexpr Duration wait = std::chrono::seconds(30);
  while (served_ < count_) {
    auto taken = queues.take(
        queue_, {.n = std::min(batch_, count_ - served_), .wait = wait, .lease = lease_});
    if (taken) {
      worked_ = true;
      if (serve(context, queues, *taken) == Next::stop) return end(context, queues);
      continue;
    }
    if (signals.stopped()) return end(context, queues);
    if (Signals::output_closed()) {
      code_ = exit_failed;
      return end(context, queues);
    }
    Errc why = taken.error().code;
    // Nobody there at first is a wrong address; later it is a broker that is coming back.
    bool passes = why == Errc::connection_lost || why == Errc::shutting_down ||
                  why == Errc::timed_out || (why == Errc::no_responders && worked_);
    if (!passes) return context.fail(taken.error());
    if (why != Errc::connection_lost) context.say("{}: trying again", taken.error().text());
    auto connected = (*client)->await_connection(Duration::forever());
    if (!connected && connected.error().code != Errc::cancelled)
      return context.fail(connected.error());
    if (why != Errc::connection_lost) {
      (void)client::pause_until(context.clock(), context.clock().now() + std::chrono::seconds(1),
                                signals.stop());
    }
  }
  return end(context, queues);
}

}  // namespace

std::unique_ptr<Verb> make_on() { return std::make_unique<On>(); }

}  // namespace tram::cli
