// What a verb runs in: the options that all verbs share, the clock, the words it says.
//
// Data goes to standard output, words to standard error; --quiet keeps the words back,
// except those that say why it failed.
#pragma once

#include <fmt/core.h>
#include <memory>
#include <string>

#include "tram/base/clock.h"
#include "tram/base/result.h"
#include "tram/cli/exit_code.h"
#include "tram/cli/option_set.h"
#include "tram/client/client.h"

namespace tram::cli {

struct Globals {
  std::string server;  // from --server, TRAM_URL or the default, in this order
  std::string user, password, token;
  base::Duration timeout = std::chrono::seconds(5);
  bool json = false;
  bool quiet = false;
  bool help = false;

  void declare(OptionSet& options);
};

class Context {
 public:
  Context(std::string verb, const Globals& globals, const base::Clock& clock)
      : verb_(std::move(verb)), globals_(globals), clock_(clock) {}

  const Globals& globals() const { return globals_; }
  const base::Clock& clock() const { return clock_; }
  bool json() const { return globals_.json; }

  // Where --server and the rest point, without connecting.
  base::Result<client::Options> client_options() const;
  // Connects; what happens to the connection later is said on standard error.
  base::Result<std::unique_ptr<client::Client>> connect(client::StopDescriptor stop = {}) const;

  template <class... Values>
  void say(fmt::format_string<Values...> form, Values&&... values) const {
    if (!globals_.quiet) say_line(fmt::format(form, std::forward<Values>(values)...));
  }
  // Says why, and returns the exit code for it. An interruption needs no words.
  int fail(const base::Error& error) const;
  // For mistakes of the command line that only the verb can see.
  int refuse(std::string_view why) const;
  // Writes data to standard output at once. Errors: connection_lost when nobody reads it.
  base::Result<> print(base::BytesView data) const;

 private:
  static void say_line(std::string line);

  std::string verb_;
  const Globals& globals_;
  const base::Clock& clock_;
};

}  // namespace tram::cli
