#include "tram/cli/context.h"

#include <unistd.h>

#include "tram/cli/files.h"

namespace tram::cli {

using base::BytesView;
using base::Errc;
using base::Error;
using base::Result;
using client::Client;
using client::Event;

void Globals::declare(OptionSet& options) {
  options.begin_globals();
  options.text("-s,--server", server, "URL",
               "the broker: nats://[user:password@]host:port, several joined by commas "
               "(also TRAM_URL; default nats://127.0.0.1:4222)");
  options.text("--user", user, "NAME", "user, if the URL names none");
  options.text("--password", password, "WORD", "password, if the URL names none");
  options.text("--token", token, "WORD", "token, if the URL names none");
  options.duration("--timeout", timeout, "TIME",
                   "how long to wait for the broker's answers (default 5s)");
  options.flag("--json", json, "print JSON, one value per line");
  options.flag("-q,--quiet", quiet, "no words on standard error, except about failures");
  options.flag("-h,--help", help, "this help");
}

Result<client::Options> Context::client_options() const {
  auto servers = client::parse_addresses(globals_.server);
  if (!servers) return std::unexpected(servers.error());
  client::Options options;
  options.servers = std::move(*servers);
  options.user = globals_.user;
  options.password = globals_.password;
  options.token = globals_.token;
  options.name = "tram " + verb_;
  options.connect_timeout = globals_.timeout;
  return options;
}

Result<std::unique_ptr<Client>> Context::connect(client::StopDescriptor stop) const {
  auto options = client_options();
  if (!options) return std::unexpected(options.error());
  options->stop = stop;
  options->on_event = [this](Event event, std::string_view words) {
    switch (event) {
      case Event::disconnected:
        return say("{}: connecting again", words);
      case Event::reconnected:
        return say("connected again to {}", words);
      case Event::lame_duck:
        return say("{}", words);
      case Event::server_error:
        return;  // the call that it belongs to says it
    }
  };
  std::string places;
  for (const auto& server : options->servers) {
    places += (places.empty() ? "" : ", ") + server.text();
  }
  auto client = Client::connect(std::move(*options), clock_);
  if (client || client.error().code != Errc::unreachable) return client;
  return base::failure(Errc::unreachable,
                       fmt::format("{}: {}; start one with 'tram serve', or say where it is with "
                                   "--server or TRAM_URL",
                                   places, client.error().detail));
}

void Context::say_line(std::string line) {
  line += '\n';
  // There is nobody to tell when standard error is closed.
  (void)write_all(STDERR_FILENO, line);
}

int Context::fail(const Error& error) const {
  if (error.code != Errc::cancelled) say_line(fmt::format("tram {}: {}", verb_, error.text()));
  return exit_code_of(error.code);
}

int Context::refuse(std::string_view why) const {
  say_line(fmt::format("tram {}: {} ('tram help {}' shows how)", verb_, why, verb_));
  return exit_usage;
}

Result<> Context::print(BytesView data) const { return write_all(STDOUT_FILENO, data); }

}  // namespace tram::cli
