// tram put QUEUE [BODY]
#include <unistd.h>

#include "tram/cli/files.h"
#include "tram/cli/json_text.h"
#include "tram/cli/verbs.h"
#include "tram/client/queue.h"

namespace tram::cli {

using base::BytesView;
using base::Error;
using base::Result;
using client::PutReply;
using client::Queues;

namespace {

class Put final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("QUEUE", queue_, "the queue to store it in; made if there is none");
    options.optional("BODY", body_, "the message; from standard input if left out or -");
    options.list("-H,--header", headers_, "LINE",
                 "a header 'Name: value' kept with it; repeatable");
    options.flag("-l,--lines", lines_, "each line of standard input is a message");
    options.number("-n,--count", count_, "N", "store it so many times (default 1)", 1);
  }
  std::vector<Example> examples() const override {
    return {{"tram put jobs '{\"id\":1}'", ""},
            {"cat pic.jpg | tram put pics", "any bytes, untouched"},
            {"tram put jobs --lines < todo.txt", "one message per line"},
            {"tram put jobs hello --header 'Trace: 7f3a' --json", "prints {\"id\":...}"}};
  }
  std::string_view notes() const override {
    return "The words say how much was stored and how durably; --json prints the broker's reply "
           "to\n"
           "each message on standard output. When it fails half-way, it says how many were "
           "stored.\n";
  }
  int run(Context& context) override;

 private:
  Result<> put_one(Context& context, Queues& queues, BytesView body);
  Result<> settle(Queues& queues, size_t waiting_max);

  std::string queue_;
  std::optional<std::string> body_;
  std::vector<std::string> headers_;
  bool lines_ = false;
  uint64_t count_ = 1;

  base::Bytes header_block_;
  std::optional<Error> error_;  // the first one
  uint64_t stored_ = 0;
  PutReply last_;
};

// Puts kept in flight: enough to fill the way to the broker and back.
constexpr size_t window = 256;

Result<> Put::settle(Queues& queues, size_t waiting_max) {
  auto& client = queues.client();
  if (client.requests_waiting() > waiting_max) {
    auto done = [&] { return client.requests_waiting() <= waiting_max; };
    if (auto run = client.run_until(done, base::Duration::forever()); !run && !error_) return run;
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<> Put::put_one(Context& context, Queues& queues, BytesView body) {
  auto told = [this, &context](const Result<PutReply>& reply) {
    if (!reply) {
      if (!error_) error_ = reply.error();
      return;
    }
    ++stored_;
    last_ = *reply;
    if (!context.json()) return;
    auto line =
        fmt::format("{{\"id\":{},\"queue\":{},\"durability\":{},\"duplicate\":{}}}\n", reply->id,
                    json_string(reply->queue), json_string(reply->durability), reply->duplicate);
    if (auto printed = context.print(line); !printed && !error_) error_ = printed.error();
  };
  if (auto sent = queues.put_later(queue_, body, header_block_, told); !sent) return sent;
  return settle(queues, window);
}

int Put::run(Context& context) {
  client::Headers headers;
  for (const std::string& line : headers_) {
    if (auto added = headers.add_line(line); !added) return context.fail(added.error());
  }
  header_block_ = headers.block();
  bool from_input = !body_ || *body_ == "-";
  if (lines_ && (!from_input || count_ != 1)) {
    return context.refuse(
        "--lines takes its messages from standard input, without BODY or --count");
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  Queues queues(**client, context.globals().timeout);
  size_t bytes_max = (*client)->server().payload_bytes_max;

  Result<> done;
  if (lines_) {
    done = read_lines(STDIN_FILENO, bytes_max,
                      [&](BytesView line) { return put_one(context, queues, line); });
  } else {
    base::Bytes body = body_.value_or("");
    if (from_input) {
      auto input = read_all(STDIN_FILENO, bytes_max);
      if (!input) return context.fail(input.error());
      body = std::move(*input);
    }
    for (uint64_t i = 0; i < count_ && done; ++i) done = put_one(context, queues, body);
  }
  auto settled = settle(queues, 0);
  if (done) done = settled;
  if (!done) {
    if (stored_ != 0) context.say("stored {} in {}, and then:", stored_, queue_);
    return context.fail(done.error());
  }
  if (stored_ == 1) {
    context.say("stored message {} in {} ({}{})", last_.id, queue_, last_.durability,
                last_.duplicate ? ", was there already" : "");
  } else {
    context.say("stored {} messages in {}{}{}", stored_, queue_, stored_ == 0 ? "" : ", ",
                last_.durability);
  }
  return exit_ok;
}

}  // namespace

std::unique_ptr<Verb> make_put() { return std::make_unique<Put>(); }

}  // namespace tram::cli
