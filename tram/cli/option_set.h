// The options and arguments of one verb, declared once: parsing, help, suggestions and
// shell completion all come from the declaration.
//
//   options.positional("QUEUE", queue_, "where to store it");
//   options.duration("--wait", wait_, "TIME", "how long to wait for a message");
//
// The variables are set by `parse`, and must outlive it. CLI11 does the parsing of options;
// it is included in option_set.cc and nowhere else, because it is slow to compile.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::cli {

class OptionSet {
 public:
  struct Option {
    std::string names;  // "-n,--count"
    std::string value;  // what stands for its value in help; empty for a flag
    std::string help;
    bool repeatable = false;
    bool global = false;  // the same for every verb
    std::vector<std::string> choices = {};
    std::function<base::Result<>(const std::string&)> set;
  };
  struct Positional {
    std::string name;
    std::string help;
    bool required = false;
    bool rest = false;  // takes all that are left
    std::vector<std::string> choices = {};
    std::function<void(std::string)> set;
  };

  void flag(std::string names, bool& value, std::string help);
  void text(std::string names, std::string& value, std::string shown, std::string help);
  void number(std::string names, uint64_t& value, std::string shown, std::string help,
              uint64_t least = 0, uint64_t most = UINT64_MAX);
  void duration(std::string names, base::Duration& value, std::string shown, std::string help);
  void list(std::string names, std::vector<std::string>& values, std::string shown,
            std::string help);

  void positional(std::string name, std::string& value, std::string help);
  void optional(std::string name, std::optional<std::string>& value, std::string help,
                std::vector<std::string> choices = {});
  void rest(std::string name, std::vector<std::string>& values, std::string help);
  // What follows `--`: a command and its arguments.
  void command(std::vector<std::string>& words, std::string help);

  // The options declared from here on are every verb's.
  void begin_globals() { in_globals_ = true; }

  // Errors: invalid_argument, with a sentence that names what was wrong and what is near it.
  base::Result<> parse(const std::vector<std::string>& arguments);

  const std::vector<Option>& options() const { return options_; }
  const std::vector<Positional>& positionals() const { return positionals_; }
  bool takes_command() const { return command_ != nullptr; }
  const std::string& command_help() const { return command_help_; }

 private:
  void add(Option option);
  base::Result<> set_positionals(std::vector<std::string> words);
  base::Result<> unknown(const std::string& option) const;

  std::vector<Option> options_;
  std::vector<Positional> positionals_;
  std::vector<std::string>* command_ = nullptr;
  std::string command_help_;
  bool in_globals_ = false;
};

// "-n,--count" in its parts.
std::vector<std::string> split_names(std::string_view names);

}  // namespace tram::cli
