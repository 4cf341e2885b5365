// tram peer listen ADDRESS..., tram peer send ADDRESS [BODY]
#include "tram/net/peer.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tram/cli/files.h"
#include "tram/cli/json_text.h"
#include "tram/cli/nearest.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

using base::BytesView;
using base::Duration;
using base::Errc;
using base::Error;
using base::Result;
using net::Datagram;
using net::Peer;
using net::PeerOptions;

namespace {

class PeerVerb final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.optional("ACTION", action_, "what to do", {"listen", "send"});
    options.optional("ADDRESS", address_, "host:port, [::1]:port or unix:/path; port 0 is any");
    options.rest("BODY", rest_,
                 "send: the message; from standard input if left out or -. listen: more addresses");
    options.flag("-l,--lines", lines_, "send: each line of standard input is a message");
    options.flag("--received", received_,
                 "send: ask the other side to say what came; it must be Tram's");
    options.number("-n,--count", count_, "N", "send it so many times; listen until so many came",
                   1);
    options.duration(
        "-w,--wait", wait_, "TIME",
        "listen: end when nothing came for so long; send: wait for so long for an answer");
    options.text("-r,--reply", reply_, "TEXT", "listen: answer each message with this");
    options.flag("--from", from_, "where it came from before each message");
    options.flag("--raw", raw_, "the messages and nothing between them");
    options.flag("--tls", tls_, "talk TLS, as each of the next four says too");
    options.text("--cert", certificate_.certificate, "FILE",
                 "our certificate, in PEM, and those up to its authority; listen: needed");
    options.text("--key", certificate_.key, "FILE", "its key, in PEM");
    options.text("--cacert", certificate_.authorities, "FILE",
                 "trust these authorities, in PEM, and not the system's; listen: let in only who "
                 "shows a certificate of theirs");
    options.text("--tls-name", certificate_.server_name, "NAME",
                 "send: the name that the other side's certificate must carry, if not ADDRESS's");
    options.flag("--null", null_, "a zero byte after each message, not a line break");
  }
  std::vector<Example> examples() const override {
    return {{"tram peer listen 127.0.0.1:7000", "prints what comes, until Ctrl-C"},
            {"tram peer send 127.0.0.1:7000 hello", ""},
            {"tail -f app.log | tram peer send 127.0.0.1:7000 --lines", "each line as it comes"},
            {"tram peer listen unix:/tmp/here --reply yes", ""},
            {"tram peer send unix:/tmp/here 'are you there?' --wait 1s", "and prints the answer"},
            {"tram peer listen 0.0.0.0:7000 --cert me.pem --key me.key --cacert us.pem",
             "through TLS, from those with a certificate of ours"}};
  }
  std::string_view notes() const override {
    return "Peers talk to each other: no broker is needed, and --server is not looked at. Go's\n"
           "proletariat speaks the same. Ends with 0 once all was handed to the kernel or, with\n"
           "--received, once the other side has it; with 1 when something was lost.\n";
  }
  int run(Context& context) override;

 private:
  int listen(Context& context);
  int send(Context& context);
  // Not set without TLS.
  std::optional<net::TlsOptions> tls() const;
  // Says what was refused, if anything was.
  std::optional<Error> refusal(Peer& peer) const;
  Result<> send_all(Peer& peer);
  // Prints what comes until `count` messages came (0: no end), nothing comes for `wait_max`, or a
  // signal. Returns how many.
  Result<uint64_t> print_what_comes(Context& context, Signals& signals, Peer& peer, uint64_t count,
                                    Duration wait_max);
  void answer(Context& context, const Signals& signals, Peer& peer, const std::string& to);
  void append(std::string& out, const Context& context, const Datagram& datagram) const;

  std::optional<std::string> action_;
  std::optional<std::string> address_;
  std::vector<std::string> rest_;
  bool lines_ = false;
  bool received_ = false;
  uint64_t count_ = 0;
  Duration wait_ = Duration::forever();
  std::string reply_;
  bool from_ = false;
  bool raw_ = false;
  bool null_ = false;
  std::string deaf_;  // Who did not take an answer.
  bool tls_ = false;
  net::TlsOptions certificate_;
};

int PeerVerb::run(Context& context) {
  if (!action_) return context.refuse("listen or send?");
  if (*action_ != "listen" && *action_ != "send") {
    std::string near = nearest(*action_, {"listen", "send"});
    return context.refuse(
        fmt::format("there is no action '{}': {}", *action_,
                    near.empty() ? "listen or send" : fmt::format("did you mean {}?", near)));
  }
  if (!address_) return context.refuse("an address is missing, such as 127.0.0.1:7000");
  if (*action_ == "listen") {
    if (lines_ || received_) return context.refuse("--lines and --received are for sending");
    if (!certificate_.server_name.empty()) return context.refuse("--tls-name is for sending");
    if (tls() && certificate_.certificate.empty())
      return context.refuse("TLS needs a certificate to listen with: --cert and --key");
    return listen(context);
  }
  if (rest_.size() > 1) return context.refuse("one BODY, please: words go in quotes");
  if (!reply_.empty()) return context.refuse("--reply is for listening");
  if (tls() && address_->starts_with("unix:") && certificate_.server_name.empty())
    return context.refuse(
        "a Unix socket has no name that a certificate could carry: say one with --tls-name");
  if (lines_ && (!rest_.empty() || count_ != 0))
    return context.refuse(
        "--lines takes its messages from standard input, without BODY or --count");
  return send(context);
}

std::optional<net::TlsOptions> PeerVerb::tls() const {
  const net::TlsOptions& said = certificate_;
  bool wanted = tls_ || !said.certificate.empty() || !said.key.empty() ||
                !said.authorities.empty() || !said.server_name.empty();
  if (!wanted) return std::nullopt;
  net::TlsOptions options = said;
  options.mutual = !said.authorities.empty();
  return options;
}

void PeerVerb::append(std::string& out, const Context& context, const Datagram& datagram) const {
  if (context.json()) {
    std::string identity;
    if (!datagram.identity().empty())
      identity = fmt::format("\"identity\":{},", json_string(datagram.identity()));
    out += fmt::format("{{\"from\":{},\"to\":{},{}{}}}\n", json_string(datagram.from()),
                       json_string(datagram.to()), identity, json_bytes("payload", datagram.data));
    return;
  }
  if (from_) out += datagram.from() + " ";
  out += datagram.data;
  if (!raw_) out += null_ ? '\0' : '\n';
}

void PeerVerb::answer(Context& context, const Signals& signals, Peer& peer, const std::string& to) {
  // Whoever takes no answers is waited for once: others ask, too.
  Duration left = to == deaf_ ? Duration() : context.globals().timeout;
  Result<> sent = peer.try_send(to, reply_);
  auto waits = [&] {
    return !sent && (sent.error().code == Errc::overloaded || sent.error().code == Errc::timed_out);
  };
  while (waits() && left > Duration() && !signals.stopped()) {
    Duration slice = std::min<Duration>(left, std::chrono::milliseconds(100));
    left = left - slice;
    sent = peer.send(to, reply_, slice);
  }
  if (sent) {
    if (to == deaf_) deaf_.clear();
    return;
  }
  if (to != deaf_) context.say("{}: takes no answers: {}", to, sent.error().text());
  deaf_ = to;
}

Result<uint64_t> PeerVerb::print_what_comes(Context& context, Signals& signals, Peer& peer,
                                            uint64_t count, Duration wait_max) {
  int came_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (came_event < 0) return base::failure(Errc::io_error, "eventfd");
  uint64_t came = 0;
  std::string out;
  std::vector<Datagram> datagrams;
  Result<> printed;
  while (printed && (count == 0 || came < count)) {
    // Wakes us, and leaves the message in the inbox.
    peer.receive_then([came_event](Result<Datagram>) {
      uint64_t one = 1;
      [[maybe_unused]] ssize_t size = ::write(came_event, &one, sizeof one);
      return false;
    });
    pollfd waits[] = {{.fd = signals.stop().descriptor, .events = POLLIN, .revents = 0},
                      {.fd = came_event, .events = POLLIN, .revents = 0}};
    int most = wait_max == Duration::forever()
                   ? -1
                   : static_cast<int>(std::min<int64_t>(wait_max.milliseconds(), INT32_MAX));
    if (::poll(waits, 2, most) <= 0 || waits[0].revents != 0) break;
    uint64_t ignored = 0;
    [[maybe_unused]] ssize_t size = ::read(came_event, &ignored, sizeof ignored);
    if (!peer.receive_all(datagrams, Duration())) continue;
    for (const Datagram& one : datagrams) {
      if (one.error) {
        context.say("{}: {}", one.from(), one.error->text());
        continue;
      }
      if (count != 0 && came == count) break;
      ++came;
      append(out, context, one);
      if (!reply_.empty()) answer(context, signals, peer, one.from());
    }
    printed = context.print(out);
    out.clear();
  }
  // What is still armed goes with the peer.
  peer.close();
  ::close(came_event);
  if (!printed) return std::unexpected(printed.error());
  return came;
}

int PeerVerb::listen(Context& context) {
  Signals signals;
  PeerOptions options;
  options.listen = rest_;
  options.listen.insert(options.listen.begin(), *address_);
  options.tls = tls();
  auto peer = Peer::open(std::move(options), context.clock());
  if (!peer) return context.fail(peer.error());
  context.say("listening on {}", fmt::join((*peer)->addresses(), ", "));
  auto came = print_what_comes(context, signals, **peer, count_, wait_);
  if (!came) return context.fail(came.error());
  if (signals.stopped() || Signals::output_closed()) return exit_ok;
  if (*came < count_ || *came == 0) {
    context.say("{}", *came == 0 ? "nothing came" : "no more came");
    return exit_nothing;
  }
  return exit_ok;
}

Result<> PeerVerb::send_all(Peer& peer) {
  const size_t bytes_max = PeerOptions().message_max;
  if (lines_)
    return read_lines(STDIN_FILENO, bytes_max,
                      [&](BytesView line) { return peer.send(*address_, line); });
  std::string body;
  if (rest_.empty() || rest_[0] == "-") {
    auto input = read_all(STDIN_FILENO, bytes_max);
    if (!input) return std::unexpected(input.error());
    body = std::move(*input);
  } else {
    body = rest_[0];
  }
  Result<> sent;
  for (uint64_t i = 0; i < std::max<uint64_t>(count_, 1) && sent; ++i)
    sent = peer.send(*address_, body);
  return sent;
}

// With TLS 1.3 a certificate is refused after the handshake, when messages may have been handed
// over.
std::optional<Error> PeerVerb::refusal(Peer& peer) const {
  while (auto datagram = peer.receive(Duration()))
    if (datagram->error && datagram->error->code == Errc::tls_failed) return *datagram->error;
  return std::nullopt;
}

int PeerVerb::send(Context& context) {
  Signals signals;
  std::mutex mutex;
  std::optional<Error> lost;  // Why the first of those that were lost was.
  PeerOptions options;
  options.confirm = received_ ? net::Confirm::received : net::Confirm::handed;
  options.dial_max = options.write_max = options.close_max = context.globals().timeout;
  options.unreachable_max = Duration();
  options.tls = tls();
  options.on_loss = [&](const net::Loss& loss) {
    std::lock_guard lock(mutex);
    if (!lost) lost = loss.error;
  };
  auto opened = Peer::open(std::move(options), context.clock());
  if (!opened) return context.fail(opened.error());
  Peer& peer = **opened;
  if (auto sent = send_all(peer); !sent) return context.fail(sent.error());
  uint64_t answers = 1;
  if (wait_ != Duration::forever()) {
    auto came = print_what_comes(context, signals, peer, 1, wait_);
    if (!came) return context.fail(came.error());
    answers = *came;
  }
  peer.close();
  if (!lost) lost = refusal(peer);
  net::PeerStats stats = peer.stats();
  if (lost) {
    if (stats.messages_sent + stats.messages_lost > 1)
      context.say("{} of {} messages were sent", stats.messages_sent,
                  stats.messages_sent + stats.messages_lost);
    return context.fail(*lost);
  }
  context.say("sent {} message{} to {}", stats.messages_sent, stats.messages_sent == 1 ? "" : "s",
              *address_);
  if (answers > 0) return exit_ok;
  context.say("no answer came");
  return exit_no_answer;
}

}  // namespace

std::unique_ptr<Verb> make_peer() { return std::make_unique<PeerVerb>(); }

}  // namespace tram::cli
