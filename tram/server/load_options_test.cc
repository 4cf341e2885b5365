#include "tram/server/load_options.h"

#include <doctest/doctest.h>
#include <map>
#include <set>

#include "tram/broker/limits.h"
#include "tram/protocols/beuss/door.h"

using namespace tram;
using namespace tram::server;

namespace {

struct Case {
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  std::map<std::string, std::string> files = {};
};

std::expected<LoadedOptions, Mistakes> load(const Case& given) {
  return load_options({.arguments = given.arguments,
                       .environment = given.environment,
                       .read_file = [&](const std::string& path) -> base::Result<std::string> {
                         auto it = given.files.find(path);
                         if (it == given.files.end())
                           return base::failure(base::Errc::io_error, "No such file or directory");
                         return it->second;
                       }});
}

// All mistakes, one behind the other.
std::string mistakes(const Case& given) {
  auto loaded = load(given);
  std::string text;
  if (loaded) return "no mistake";
  for (const std::string& mistake : loaded.error())
    text.append(text.empty() ? "" : " | ").append(mistake);
  return text;
}

std::string mistakes_of_file(std::string text) {
  return mistakes({.arguments = {"--config", "t.toml"}, .files = {{"t.toml", std::move(text)}}});
}

}  // namespace

TEST_CASE("without anything, every option is at its default") {
  auto loaded = load({});
  REQUIRE(loaded);
  CHECK(loaded->options.host == "127.0.0.1");
  CHECK(loaded->options.nats_port.number == 4222);
  CHECK(loaded->options.pending_max == uint64_t{64} << 20);
  CHECK(loaded->options.threads == 0);
  CHECK_FALSE(loaded->given("nats-port"));
}

TEST_CASE("the table's defaults are those of the parts that they are for") {
  Options options = default_options();
  broker::Limits limits;
  CHECK(options.queues_max == limits.queues_max);
  CHECK(options.waiting_takers_max == limits.waiting_takers_max);
  CHECK(options.queue_idle_expiry == limits.queue_idle_expiry);
  CHECK(options.stored_bytes_max == limits.stored_bytes_max);
  CHECK(options.mailbox_pending_max == limits.mailbox_pending_max);
  CHECK(options.mailboxes_max == limits.mailboxes_max);
  CHECK(options.mailbox_idle_expiry == limits.mailbox_idle_expiry);
  net::ConnectionLimits connection;
  CHECK(options.pending_max == connection.pending_max);
  CHECK(options.write_stall_max == connection.write_stall_max);
  protocols::beuss::BeussOptions beuss;
  CHECK(options.beuss_max_message_bytes == beuss.message_bytes_max);
  CHECK(options.beuss_pause == beuss.pause);
}

TEST_CASE("every row of the table is sound") {
  std::set<std::string_view> names;
  for (const OptionRow& row : option_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.sentence.ends_with('.'));
    bool section = false;
    for (const OptionSection& known : option_sections()) section |= known.name == row.section;
    CHECK(section);
    // Set to what is shown, every option stays as it is; and no limit refuses itself.
    Options options = default_options();
    if (!row.secret) CHECK(set_option(options, row, show_option(options, row)));
    if (!row.least.empty()) CHECK(set_option(options, row, row.least));
    if (!row.most.empty()) CHECK(set_option(options, row, row.most));
    CHECK(set_option(options, row, row.fallback));
  }
}

TEST_CASE("a flag wins over the environment, that over the file, that over the default") {
  Case given{.arguments = {"--config", "t.toml"},
             .files = {{"t.toml", "nats-port = 1\nhttp-port = 2\nbeuss-port = 3\n"}}};
  given.environment = {"TRAM_NATS_PORT=11", "TRAM_HTTP_PORT=12"};
  given.arguments.push_back("--nats-port=21");
  auto loaded = load(given);
  REQUIRE(loaded);
  CHECK(loaded->options.nats_port.number == 21);
  CHECK(loaded->options.http_port.number == 12);
  CHECK(loaded->options.beuss_port.number == 3);
  CHECK(loaded->options.metrics_port.number == 9001);
  CHECK(loaded->source_of("nats-port") == OptionSource::flag);
  CHECK(loaded->source_of("http-port") == OptionSource::environment);
  CHECK(loaded->source_of("beuss-port") == OptionSource::file);
  CHECK(loaded->source_of("metrics-port") == OptionSource::fallback);
}

TEST_CASE("a flag that is given twice has its last value") {
  CHECK(load({.arguments = {"--host", "a", "--host", "b"}})->options.host == "b");
}

TEST_CASE("BPORT and BMAXMESSAGESIZE count where Tram's own are not set; BHOST is for clients") {
  Case given{.environment = {"BPORT=1000", "BMAXMESSAGESIZE=5000", "BHOST=example.org"}};
  CHECK(load(given)->options.beuss_port.number == 1000);
  CHECK(load(given)->options.beuss_max_message_bytes == 5000);
  CHECK(load(given)->options.host == "127.0.0.1");
  given.environment.insert(given.environment.begin(), "TRAM_BEUSS_PORT=2000");
  given.environment.push_back("TRAM_BEUSS_MAX_MESSAGE_BYTES=6000");
  CHECK(load(given)->options.beuss_port.number == 2000);
  CHECK(load(given)->options.beuss_max_message_bytes == 6000);
  CHECK(load({.environment = {"BPORT="}})->options.beuss_port.number == 6552);
  CHECK(mistakes({.environment = {"BPORT=x"}}) ==
        "BPORT 'x': a port is a number from 0 to 65535, where 0 is any free port; or the word off");
}

TEST_CASE("the file's keys may stand flat or in their sections") {
  auto loaded = load({.environment = {"TRAM_CONFIG=t.toml"}, .files = {{"t.toml", R"(
threads = 3
log-format = "json"
[doors]
nats-port = "off"
[queues]
stored-bytes-max = "2GiB"
queue-idle-expiry = "90s"
)"}}});
  REQUIRE(loaded);
  CHECK(loaded->options.threads == 3);
  CHECK(loaded->options.log_format == "json");
  CHECK_FALSE(loaded->options.nats_port.open);
  CHECK(loaded->options.stored_bytes_max == uint64_t{2} << 30);
  CHECK(loaded->options.queue_idle_expiry.seconds() == 90);
}

TEST_CASE("an unknown flag is refused by name, with the nearest known one") {
  CHECK(mistakes({.arguments = {"--nats-prot", "1"}})
            .starts_with("--nats-prot: there is no such option; did you mean --nats-port?"));
  CHECK(mistakes({.arguments = {"--nats_port=1"}}) ==
        "--nats_port=1: there is no such option; did you mean --nats-port?");
  CHECK(mistakes({.arguments = {"--stored"}}) ==
        "--stored: there is no such option; did you mean --stored-bytes-max?");
  CHECK(mistakes({.arguments = {"--quux-frobnicate"}}) ==
        "--quux-frobnicate: there is no such option; `tram serve --help` lists them all");
  CHECK(mistakes({.arguments = {"now"}}) ==
        "now: serve takes options only, each beginning with --");
}

TEST_CASE("an unknown variable is refused by name, but the clients' variables are not") {
  CHECK(mistakes({.environment = {"TRAM_NATS_PROT=1"}}) ==
        "TRAM_NATS_PROT: there is no such variable; did you mean TRAM_NATS_PORT?");
  CHECK(mistakes({.environment = {"TRAM_QUUX_FROBNICATE=1"}}) ==
        "TRAM_QUUX_FROBNICATE: there is no such variable; `tram options` lists them all");
  CHECK(mistakes({.environment = {"TRAM_URL=nats://elsewhere", "PATH=/bin", "TRAMWAY=1", "odd"}}) ==
        "no mistake");
}

TEST_CASE("an unknown key of the file is refused with its line") {
  CHECK(mistakes_of_file("\nnats-prot = 1") ==
        "t.toml:2: nats-prot: there is no such option; did you mean nats-port?");
  CHECK(mistakes_of_file("[door]\nnats-port = 1") ==
        "t.toml:1: door: there is no such section or option; did you mean doors?");
  CHECK(mistakes_of_file("[queues]\nnats-port = 1") ==
        "t.toml:2: nats-port: it belongs into [doors], or above all sections");
  CHECK(mistakes_of_file("quux-frobnicate = 1") ==
        "t.toml:1: quux-frobnicate: there is no such option; `tram options` lists them all");
  CHECK(mistakes_of_file("nats-port = 1\n[doors]\nnats-port = 1").find("it is given at t.toml:") !=
        std::string::npos);
  CHECK(mistakes_of_file("config = 'x'") ==
        "t.toml:1: config: it cannot stand in a file, only on the command line or in the "
        "environment");
}

TEST_CASE("a file that is not there or not TOML is refused, and so are kinds that do not fit") {
  CHECK(mistakes({.arguments = {"--config", "none.toml"}}) ==
        "--config 'none.toml': the operating system reported an error (No such file or "
        "directory)");
  CHECK(mistakes_of_file("nats-port = = 1").starts_with("t.toml:1: this is not TOML: "));
  CHECK(mistakes_of_file("[@doors]").starts_with("t.toml:1: this is not TOML: "));
  CHECK(mistakes_of_file(std::string("a = 1\n[\0", 8)).starts_with("t.toml:2: this is not TOML: "));
  CHECK(mistakes_of_file("# \xc3\xa4\n\xc3\xa4 = 1").starts_with("t.toml:2: this is not TOML: "));
  CHECK(mistakes_of_file("server-name = \"\xc3\xa4\" # \xc3\xa4") == "no mistake");
  CHECK(mistakes_of_file("host = 1") == "t.toml:1: host: it takes text in quotes");
  CHECK(mistakes_of_file("nats-port = 1.5") ==
        "t.toml:1: nats-port: it takes a whole number, or text in quotes");
  CHECK(mistakes_of_file("queue-idle-expiry = 5") ==
        "t.toml:1: queue-idle-expiry: it takes text in quotes");
  CHECK(mistakes_of_file("nats-port = 70000") ==
        "t.toml:1: nats-port '70000': a port is a number from 0 to 65535, where 0 is any free "
        "port; or the word off");
}

TEST_CASE("bad values are refused by name, with what would be right") {
  auto of = [](const char* name, const char* value) {
    return mistakes({.arguments = {name, value}});
  };
  CHECK(of("--nats-port", "abc") ==
        "--nats-port 'abc': a port is a number from 0 to 65535, where 0 is any free port; or the "
        "word off");
  CHECK(of("--threads", "0") == "--threads '0': it is at least 1, or the word auto");
  CHECK(of("--threads", "many") ==
        "--threads 'many': it takes a whole number, such as 1000, or the word auto");
  CHECK(of("--threads", "1000") == "--threads '1000': it is from 1 to 64");
  CHECK(of("--max-message-bytes", "65MiB") == "--max-message-bytes '65MiB': it is from 1 to 64MiB");
  CHECK(of("--stored-bytes-max", "0") == "--stored-bytes-max '0': it is at least 1");
  CHECK(of("--drain-timeout", "5") ==
        "--drain-timeout '5': it takes a length of time with its unit, such as 500ms, 5s, 2m or "
        "1h");
  CHECK(of("--log-level", "loud") == "--log-level 'loud': it is one of: debug info warn error");
  CHECK(of("--host", "a b").starts_with("--host 'a b': a host is a name or an address alone"));
  CHECK(mistakes({.environment = {"TRAM_CHECK=perhaps"}}) ==
        "TRAM_CHECK 'perhaps': it takes true or false");
}

TEST_CASE("all mistakes are told at once") {
  CHECK(mistakes({.arguments = {"--nats-port", "x", "--threads", "y"},
                  .environment = {"TRAM_HTTP_PORT=z"}}) ==
        "TRAM_HTTP_PORT 'z': a port is a number from 0 to 65535, where 0 is any free port; or the "
        "word off | --nats-port 'x': a port is a number from 0 to 65535, where 0 is any free "
        "port; or the word off | --threads 'y': it takes a whole number, such as 1000, or the "
        "word auto");
}

TEST_CASE("options that contradict each other are refused") {
  CHECK(mistakes({.arguments = {"--user", "ann"}}) ==
        "user: a user needs a password as well: set TRAM_PASSWORD");
  CHECK(mistakes({.environment = {"TRAM_PASSWORD=secret"}}) ==
        "password: a password needs a user as well: set --user");
  CHECK(mistakes({.arguments = {"--pending-max", "64KiB"}}) ==
        "pending-max 64KiB: it is at least one largest message, max-message-bytes 1MiB");
  CHECK(mistakes({.arguments = {"--http-port", "4222"}}) ==
        "http-port 4222: nats-port has that port already; each door needs its own");
  CHECK(mistakes({.arguments = {"--http-port", "0", "--nats-port", "0"}}) == "no mistake");
  CHECK(mistakes({.arguments = {"--http-port=off", "--nats-port=off", "--metrics-port=off",
                                "--beuss-port=off"}}) ==
        "nats-port off: every door is off, so nobody could come in");
}

TEST_CASE("a secret is never shown, not even a bad one") {
  std::string text = mistakes({.arguments = {"--token", "sec\nret"}});
  CHECK(text == "--token (hidden): it takes text on one line");
  auto loaded = load({.arguments = {"--token", "secret"}});
  CHECK(show_option(loaded->options, *find_option("token")) == "(hidden)");
  CHECK(show_option(default_options(), *find_option("token")).empty());
}

TEST_CASE("--help is seen before anything is wrong, and a flag without its value is refused") {
  CHECK(load({.arguments = {"--help"}})->help);
  CHECK(load({.arguments = {"-h", "--nats-port", "abc"}, .environment = {"TRAM_X=1"}})->help);
  CHECK(mistakes({.arguments = {"--host"}}).find("--host") != std::string::npos);
}
