#include "tram/cli/option_set.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using tram::base::Duration;
using tram::cli::OptionSet;

namespace {

struct Parsed {
  std::string queue;
  std::optional<std::string> body;
  std::vector<std::string> headers;
  uint64_t count = 1;
  Duration wait;
  bool quiet = false;
  std::string error;

  explicit Parsed(const std::vector<std::string>& words) {
    OptionSet options;
    options.positional("QUEUE", queue, "the queue");
    options.optional("BODY", body, "the message");
    options.list("-H,--header", headers, "LINE", "a header");
    options.number("-n,--count", count, "N", "how many", 1, 9);
    options.duration("--wait", wait, "TIME", "how long");
    options.flag("-q,--quiet", quiet, "no words");
    auto parsed = options.parse(words);
    if (!parsed) error = parsed.error().detail;
  }
};

}  // namespace

TEST_CASE("options and arguments are told apart in any order") {
  Parsed p({"-n", "5", "jobs", "--header", "A: 1", "hello", "--header=B: 2", "--wait=1m", "-q"});
  CHECK(p.error == "");
  CHECK(p.queue == "jobs");
  CHECK(p.body == "hello");
  CHECK(p.headers == std::vector<std::string>{"A: 1", "B: 2"});
  CHECK(p.count == 5);
  CHECK(p.wait == Duration(60s));
  CHECK(p.quiet);
  CHECK(Parsed({"-n5", "-qH", "A: 1", "jobs"}).headers.size() == 1);
}

TEST_CASE("bodies are taken as they are, whatever they look like") {
  for (const char* body :
       {"", "-", "++", "{}", "[1,2]", "[]", "{\"id\":1}", "%%", "\"", "a=b", "--"}) {
    CAPTURE(body);
    Parsed p({"jobs", "--", body});
    CHECK(p.error == "");
    CHECK(p.body == body);
  }
  for (const char* body : {"", "-", "++", "{}", "[1,2]", "%%"}) {
    CAPTURE(body);
    CHECK(Parsed({"jobs", body}).body == body);
    CHECK(Parsed({"jobs", "--header", body}).headers == std::vector<std::string>{body});
  }
  CHECK(Parsed({"jobs", "--", "-5"}).body == "-5");
}

TEST_CASE("mistakes are named, with what is near them") {
  CHECK(Parsed({"jobs", "--cuont", "3"}).error ==
        "there is no option --cuont: did you mean --count?");
  CHECK(Parsed({"jobs", "--zzz"}).error.starts_with("there is no option --zzz"));
  CHECK(Parsed({"jobs", "-5"}).error.find("goes after --") != std::string::npos);
  CHECK(Parsed({}).error == "QUEUE is missing: the queue");
  CHECK(Parsed({"jobs", "a", "b"}).error.starts_with("'b' is one argument too many"));
  CHECK(Parsed({"jobs", "-n"}).error == "--count needs a value");
  CHECK(Parsed({"jobs", "-n", "10"}).error == "--count takes a number from 1 to 9, not '10'");
  CHECK(Parsed({"jobs", "-n", "x"}).error == "--count takes a number from 1 to 9, not 'x'");
  CHECK(Parsed({"jobs", "--wait", "5"}).error.starts_with("--wait: a duration is written like"));
}

TEST_CASE(
    "the last of an option that may be given once counts, and words after -- may be a command") {
  CHECK(Parsed({"jobs", "-n", "2", "-n", "3"}).count == 3);
  OptionSet options;
  std::string subject;
  std::vector<std::string> command;
  options.positional("SUBJECT", subject, "who");
  options.command(command, "what to run");
  CHECK(options.parse({"time", "--", "date", "-u", "--", "[1,2]"}));
  CHECK(command == std::vector<std::string>{"date", "-u", "--", "[1,2]"});
}
