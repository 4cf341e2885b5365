// tram reply SUBJECT [TEXT] | --echo | -- COMMAND...
#include <deque>

#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"
#include "tram/cli/workers.h"

namespace tram::cli {

using base::Duration;
using base::Errc;
using base::Result;
using client::Client;
using client::Message;
using client::OwnedMessage;

namespace {

class Reply final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("SUBJECT", subject_, "which requests to answer; * and > as in sub");
    options.optional("TEXT", text_, "answer everyone with this");
    options.command(command_, "answer with what this prints; the question is its standard input");
    options.flag("--echo", echo_, "answer with the question");
    options.text("-g,--group", group_, "NAME",
                 "of several in a group, one answers each request (default tram-reply)");
    options.flag("--everyone", everyone_, "answer even if others do: no group");
    options.number("-j,--jobs", jobs_max_, "N", "commands at the same time (default 4)", 1, 1000);
    options.number("-n,--count", count_, "N", "end after so many answers", 1);
  }
  std::vector<Example> examples() const override {
    return {{"tram reply time -- date", "each request runs the command"},
            {"tram reply sum -j 8 -- jq add", "the question comes on its standard input"},
            {"tram reply ping pong", "a fixed answer"},
            {"tram reply 'echo.>' --echo", ""}};
  }
  std::string_view notes() const override {
    return "COMMAND finds TRAM_SUBJECT, TRAM_REPLY and TRAM_HEADER_... in its environment. When "
           "it\n"
           "fails, what it printed is sent with a header Tram-Exit-Code. Up to 1000 requests wait "
           "for\n"
           "a free job; more are refused at once with a header Tram-Error.\n"
           "Ctrl-C and SIGTERM end it with 0, after the commands that run have answered or 2s.\n";
  }
  int run(Context& context) override;

 private:
  void take(const Message& message);
  void start(const Message& message);
  void answer(const std::string& to, base::BytesView body, const client::Headers& headers);
  void answer_failure(const std::string& to, base::BytesView body, int code, std::string_view why);

  std::string subject_;
  std::optional<std::string> text_;
  std::vector<std::string> command_;
  bool echo_ = false;
  std::string group_ = "tram-reply";
  bool everyone_ = false;
  uint64_t jobs_max_ = 4;
  uint64_t count_ = UINT64_MAX;

  Client* client_ = nullptr;
  const Context* context_ = nullptr;
  Workers workers_;
  std::deque<OwnedMessage> waiting_;
  uint64_t answered_ = 0;
};

constexpr size_t waiting_max = 1000;

void Reply::answer(const std::string& to, base::BytesView body, const client::Headers& headers) {
  base::Bytes block = client_->server().headers ? headers.block() : base::Bytes();
  auto sent = client_->publish(to, body, {}, block);
  if (!sent) context_->say("an answer was not sent: {}", sent.error().text());
  ++answered_;
}

void Reply::answer_failure(const std::string& to, base::BytesView body, int code,
                           std::string_view why) {
  client::Headers headers;
  (void)headers.add("Tram-Error", why);
  if (code >= 0) (void)headers.add("Tram-Exit-Code", std::to_string(code));
  answer(to, body, headers);
}

void Reply::take(const Message& message) {
  if (answered_ + workers_.running() + waiting_.size() >= count_) return;
  if (message.reply.empty()) {
    context_->say("a message to {} asks for no answer", message.subject);
    return;
  }
  std::string to(message.reply);
  if (echo_) return answer(to, message.payload, {});
  if (text_) return answer(to, *text_, {});
  if (workers_.running() < jobs_max_) return start(message);
  if (waiting_.size() < waiting_max) {
    waiting_.emplace_back(message);
  } else {
    answer_failure(to, {}, -1, base::name_of(Errc::overloaded));
  }
}

void Reply::start(const Message& message) {
  std::string to(message.reply);
  Environment environment{{"TRAM_SUBJECT", std::string(message.subject)}, {"TRAM_REPLY", to}};
  add_headers(environment, message.headers);
  auto child = Child::start(command_, environment, base::Bytes(message.payload),
                            Child::Output::keep, client_->server().payload_bytes_max - 1024);
  if (!child) {
    context_->say("{}", child.error().text());
    return answer_failure(to, {}, 127, "the command could not be run");
  }
  workers_.add(std::move(*child), [this, to](const Child& ended) {
    if (ended.output_too_large()) {
      answer_failure(to, {}, ended.exit_code(), base::name_of(Errc::message_too_large));
    } else if (ended.exit_code() != 0) {
      answer_failure(to, ended.output(), ended.exit_code(),
                     fmt::format("the command exited with {}", ended.exit_code()));
    } else {
      answer(to, ended.output(), {});
    }
  });
}

int Reply::run(Context& context) {
  int ways = int(echo_) + int(text_.has_value()) + int(!command_.empty());
  if (ways != 1) return context.refuse("say what to answer: TEXT, --echo or -- COMMAND");
  Signals signals;
  auto client = context.connect(signals.stop());
  if (!client) return context.fail(client.error());
  client_ = client->get();
  context_ = &context;
  auto subscribed = client_->subscribe(subject_, {.group = everyone_ ? std::string() : group_},
                                       [this](const Message& message) { take(message); });
  if (!subscribed) return context.fail(subscribed.error());
  if (auto flushed = client_->flush(context.globals().timeout); !flushed) {
    return signals.stopped() ? int(exit_ok) : context.fail(flushed.error());
  }
  context.say("answering {}", subject_);

  while (answered_ < count_) {
    // A turn ends now and then by itself, so that a silent server is noticed.
    auto turned =
        workers_.turn(*client_, context.clock().now() + std::chrono::seconds(30), signals.stop());
    while (workers_.running() < jobs_max_ && !waiting_.empty()) {
      OwnedMessage next = std::move(waiting_.front());
      waiting_.pop_front();
      start(next.view());
    }
    if (turned) continue;
    if (turned.error().code != Errc::connection_lost) break;
    auto connected = client_->await_connection(Duration::forever());
    if (!connected && connected.error().code != Errc::cancelled)
      return context.fail(connected.error());
  }
  client_->set_stop({});
  if (workers_.running() != 0) workers_.stop_all(context.clock());
  if (client_->is_connected()) (void)client_->drain(context.globals().timeout);
  return exit_ok;
}

}  // namespace

std::unique_ptr<Verb> make_reply() { return std::make_unique<Reply>(); }

}  // namespace tram::cli
