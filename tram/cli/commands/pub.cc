// tram pub SUBJECT [BODY]
#include <unistd.h>

#include "tram/cli/files.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

using base::BytesView;
using base::Result;
using client::Client;

namespace {

class Pub final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.positional("SUBJECT", subject_, "what it is about: words joined by dots");
    options.optional("BODY", body_, "the message; from standard input if left out or -");
    options.list("-H,--header", headers_, "LINE", "a header 'Name: value'; repeatable");
    options.text("-r,--reply", reply_, "SUBJECT", "where answers should go");
    options.flag("-l,--lines", lines_, "each line of standard input is a message");
    options.number("-n,--count", count_, "N", "publish it so many times (default 1)", 1);
  }
  std::vector<Example> examples() const override {
    return {{"tram pub orders.eu.paid hello", ""},
            {"cat pic.jpg | tram pub pictures.new", "any bytes, untouched"},
            {"tail -f app.log | tram pub logs.app --lines", "each line as it comes"},
            {"tram pub orders.eu.paid '{\"id\":1}' --header 'Trace: 7f3a'", ""}};
  }
  std::string_view notes() const override {
    return "A published message reaches who listens at that moment, and is kept by nobody: to "
           "store\n"
           "one, use 'tram put'.\n";
  }
  int run(Context& context) override;

 private:
  std::string subject_;
  std::optional<std::string> body_;
  std::vector<std::string> headers_;
  std::string reply_;
  bool lines_ = false;
  uint64_t count_ = 1;
};

int Pub::run(Context& context) {
  client::Headers headers;
  for (const std::string& line : headers_) {
    if (auto added = headers.add_line(line); !added) return context.fail(added.error());
  }
  base::Bytes block = headers.block();
  bool from_input = !body_ || *body_ == "-";
  if (lines_ && (!from_input || count_ != 1)) {
    return context.refuse(
        "--lines takes its messages from standard input, without BODY or --count");
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  size_t bytes_max = (*client)->server().payload_bytes_max;

  uint64_t published = 0;
  auto publish = [&](BytesView body) -> Result<> {
    auto done = (*client)->publish(subject_, body, reply_, block);
    if (done) ++published;
    return done;
  };
  Result<> done;
  if (lines_) {
    // A line is sent when it comes: whoever types or tails wants it seen now.
    done = read_lines(STDIN_FILENO, bytes_max, [&](BytesView line) -> Result<> {
      auto sent = publish(line);
      if (!sent) return sent;
      auto polled = (*client)->poll();
      if (!polled) return std::unexpected(polled.error());
      return {};
    });
  } else {
    base::Bytes body = body_.value_or("");
    if (from_input) {
      auto input = read_all(STDIN_FILENO, bytes_max);
      if (!input) return context.fail(input.error());
      body = std::move(*input);
    }
    for (uint64_t i = 0; i < count_ && done; ++i) done = publish(body);
  }
  if (!done) return context.fail(done.error());
  if (auto flushed = (*client)->flush(context.globals().timeout); !flushed) {
    return context.fail(flushed.error());
  }
  context.say("published {} message{} to {}", published, published == 1 ? "" : "s", subject_);
  return exit_ok;
}

}  // namespace

std::unique_ptr<Verb> make_pub() { return std::make_unique<Pub>(); }

}  // namespace tram::cli
