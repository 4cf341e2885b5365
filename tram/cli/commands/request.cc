// tram request SUBJECT [BODY]
#include <unistd.h>

#include "tram/cli/files.h"
#include "tram/cli/message_text.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

using base::Errc;
using base::Error;
using base::Result;
using client::Message;

namespace {

class Request final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("SUBJECT", subject_, "who is asked: words joined by dots");
    options.optional("BODY", body_, "the question; nothing if left out, standard input if -");
    options.list("-H,--header", headers_, "LINE", "a header 'Name: value'; repeatable");
    options.number("-n,--replies", replies_, "N", "wait for so many answers (default 1)", 1);
    options.flag("--raw", style_.raw, "the answers and nothing between them");
    options.flag("--null", style_.null, "a zero byte after each answer, not a line break");
    options.flag("--headers", style_.headers, "the headers before each answer");
  }
  std::vector<Example> examples() const override {
    return {{"tram request time", ""},
            {"tram request sum '[1,2,3]' --timeout 2s", ""},
            {"tram request who.is.there -n 3", "answers of three"},
            {"cat pic.jpg | tram request thumbnail - --raw > small.jpg", ""}};
  }
  std::string_view notes() const override {
    return "An answer that says it failed (a header Tram-Exit-Code other than 0, as 'tram reply'\n"
           "sends, or Tram-Error) is printed, and the exit code is 1. Nobody listening, or fewer\n"
           "answers than wanted in --timeout: 4.\n";
  }
  int run(Context& context) override;

 private:
  std::string subject_;
  std::optional<std::string> body_;
  std::vector<std::string> headers_;
  uint64_t replies_ = 1;
  MessageStyle style_;
};

// What an answer says of its own failure; empty if it does not.
std::string failure_in(const Message& message) {
  if (auto error = message.headers.find("Tram-Error")) return std::string(*error);
  auto code = message.headers.find("Tram-Exit-Code");
  if (code && *code != "0") return fmt::format("the command exited with {}", *code);
  return {};
}

int Request::run(Context& context) {
  style_.json = context.json();
  client::Headers headers;
  for (const std::string& line : headers_) {
    if (auto added = headers.add_line(line); !added) return context.fail(added.error());
  }
  base::Bytes block = headers.block();
  base::Bytes body = body_.value_or("");
  Signals signals;
  auto client = context.connect(signals.stop());
  if (!client) return context.fail(client.error());
  if (body_ && *body_ == "-") {
    auto input = read_all(STDIN_FILENO, (*client)->server().payload_bytes_max);
    if (!input) return context.fail(input.error());
    body = std::move(*input);
  }

  uint64_t came = 0;
  std::string failed;
  std::optional<Error> error;
  auto told = [&](const Result<Message>& reply) {
    if (!reply) {
      error = reply.error();
      return;
    }
    ++came;
    if (failed.empty()) failed = failure_in(*reply);
    std::string out;
    append_message(out, *reply, style_, 0);
    if (auto printed = context.print(out); !printed) error = printed.error();
  };
  auto asked = (*client)->request_later(
      subject_, body,
      {.headers = block, .replies_max = replies_, .timeout = context.globals().timeout}, told);
  if (!asked) return context.fail(asked.error());
  auto run =
      (*client)->run_until([&] { return error || came >= replies_; }, base::Duration::forever());
  if (signals.stopped()) return exit_interrupted;
  if (!run && !error) error = run.error();
  if (error) {
    if (error->code == Errc::timed_out && came != 0) {
      error->detail = fmt::format("{} of {} answers came", came, replies_);
    }
    return context.fail(*error);
  }
  if (failed.empty()) return exit_ok;
  context.say("tram request: the answer says it failed: {}", failed);
  return exit_failed;
}

}  // namespace

std::unique_ptr<Verb> make_request() { return std::make_unique<Request>(); }

}  // namespace tram::cli
