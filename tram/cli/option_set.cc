#include "tram/cli/option_set.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <fmt/core.h>

#include "tram/cli/duration.h"
#include "tram/cli/nearest.h"

namespace tram::cli {

using base::Duration;
using base::Errc;
using base::failure;
using base::Result;

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> parts;
  while (true) {
    size_t comma = names.find(',');
    parts.emplace_back(names.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    names.remove_prefix(comma + 1);
  }
}

namespace {

// CLI11 gives a meaning of its own to values like [1,2], {} and ++. It is shown a mark in the
// place of each value instead: a byte that nobody types and the value's number.
class Marks {
 public:
  std::string mark(std::string value) {
    values_.push_back(std::move(value));
    return fmt::format("\x01{}", values_.size() - 1);
  }
  std::string marked(const std::string& word) {
    if (word.size() < 2 || word[0] != '-') return mark(word);
    size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) return word;
    return word.substr(0, equals + 1) + mark(word.substr(equals + 1));
  }
  std::string value_of(const std::string& word) const {
    size_t number = 0;
    if (!word.starts_with('\x01')) return word;
    auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
    return error == std::errc() && number < values_.size() ? values_[number] : word;
  }

 private:
  std::vector<std::string> values_;
};

}  // namespace

void OptionSet::add(Option option) {
  option.global = in_globals_;
  options_.push_back(std::move(option));
}

void OptionSet::flag(std::string names, bool& value, std::string help) {
  add({.names = std::move(names),
       .value = {},
       .help = std::move(help),
       .set = [&value](const std::string&) -> Result<> {
         value = true;
         return {};
       }});
}

void OptionSet::text(std::string names, std::string& value, std::string shown, std::string help) {
  add({.names = std::move(names),
       .value = std::move(shown),
       .help = std::move(help),
       .set = [&value](const std::string& text) -> Result<> {
         value = text;
         return {};
       }});
}

void OptionSet::number(std::string names, uint64_t& value, std::string shown, std::string help,
                       uint64_t least, uint64_t most) {
  std::string name = split_names(names).back();
  auto set = [&value, name, least, most](const std::string& text) -> Result<> {
    uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
    if (whole && number >= least && number <= most) {
      value = number;
      return {};
    }
    std::string range = most == UINT64_MAX ? fmt::format("of at least {}", least)
                                           : fmt::format("from {} to {}", least, most);
    return failure(Errc::invalid_argument,
                   fmt::format("{} takes a number {}, not '{}'", name, range, text));
  };
  add({.names = std::move(names), .value = std::move(shown), .help = std::move(help), .set = set});
}

void OptionSet::duration(std::string names, Duration& value, std::string shown, std::string help) {
  std::string name = split_names(names).back();
  auto set = [&value, name](const std::string& text) -> Result<> {
    auto duration = parse_duration(text);
    if (!duration) {
      return failure(Errc::invalid_argument, fmt::format("{}: {}", name, duration.error().detail));
    }
    value = *duration;
    return {};
  };
  add({.names = std::move(names), .value = std::move(shown), .help = std::move(help), .set = set});
}

void OptionSet::list(std::string names, std::vector<std::string>& values, std::string shown,
                     std::string help) {
  add({.names = std::move(names),
       .value = std::move(shown),
       .help = std::move(help),
       .repeatable = true,
       .set = [&values](const std::string& text) -> Result<> {
         values.push_back(text);
         return {};
       }});
}

void OptionSet::positional(std::string name, std::string& value, std::string help) {
  positionals_.push_back({.name = std::move(name),
                          .help = std::move(help),
                          .required = true,
                          .set = [&value](std::string text) { value = std::move(text); }});
}

void OptionSet::optional(std::string name, std::optional<std::string>& value, std::string help,
                         std::vector<std::string> choices) {
  positionals_.push_back({.name = std::move(name),
                          .help = std::move(help),
                          .choices = std::move(choices),
                          .set = [&value](std::string text) { value = std::move(text); }});
}

void OptionSet::rest(std::string name, std::vector<std::string>& values, std::string help) {
  positionals_.push_back(
      {.name = std::move(name),
       .help = std::move(help),
       .rest = true,
       .set = [&values](std::string text) { values.push_back(std::move(text)); }});
}

void OptionSet::command(std::vector<std::string>& words, std::string help) {
  command_ = &words;
  command_help_ = std::move(help);
}

Result<> OptionSet::unknown(const std::string& option) const {
  std::string name = option.substr(0, option.find('='));
  std::vector<std::string> known;
  for (const Option& one : options_) {
    for (std::string& part : split_names(one.names)) known.push_back(std::move(part));
  }
  std::string near = name.size() > 2 ? nearest(name, known) : std::string();
  std::string hint = near.empty() ? "" : fmt::format(": did you mean {}?", near);
  if (near.empty() && !command_) hint = " (what is not an option goes after --)";
  return failure(Errc::invalid_argument, fmt::format("there is no option {}{}", name, hint));
}

Result<> OptionSet::set_positionals(std::vector<std::string> words) {
  size_t next = 0;
  for (const Positional& positional : positionals_) {
    if (next == words.size()) {
      if (!positional.required) break;
      return failure(Errc::invalid_argument,
                     fmt::format("{} is missing: {}", positional.name, positional.help));
    }
    do {
      positional.set(std::move(words[next++]));
    } while (positional.rest && next < words.size());
  }
  if (next == words.size()) return {};
  return failure(
      Errc::invalid_argument,
      fmt::format("'{}' is one argument too many: put quotes around what has spaces", words[next]));
}

Result<> OptionSet::parse(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  // Conversion is ours, so that every mistake is told in the same words.
  Result<> outcome;
  Marks marks;
  for (const Option& option : options_) {
    auto set = [&outcome, &option, &marks](const std::string& text) {
      if (outcome) outcome = option.set(marks.value_of(text));
      return true;
    };
    if (option.value.empty()) {
      app.add_flag_callback(option.names, [set] { set({}); });
    } else {
      auto each = [set](const std::vector<std::string>& values) {
        for (const std::string& value : values) set(value);
        return true;
      };
      auto* added = app.add_option_function<std::vector<std::string>>(
          option.names, std::function<void(const std::vector<std::string>&)>(each));
      added->expected(1)->allow_extra_args(false);
      added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::TakeLast);
    }
  }

  auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> before;
  for (auto word = arguments.begin(); word != dashes; ++word) before.push_back(marks.marked(*word));
  std::reverse(before.begin(), before.end());
  try {
    app.parse(before);
  } catch (const CLI::ArgumentMismatch& mismatch) {
    std::string what = mismatch.what();
    return failure(Errc::invalid_argument, what.substr(0, what.find(':')) + " needs a value");
  } catch (const CLI::ParseError& error) {
    return failure(Errc::invalid_argument, error.what());
  }
  if (!outcome) return outcome;

  std::vector<std::string> words;
  for (const std::string& word : app.remaining()) {
    // What is left and starts with a dash is an option that nobody declared. A dash alone is a
    // word, and was marked: by custom it stands for standard input or output.
    if (word[0] == '-') return unknown(word);
    words.push_back(marks.value_of(word));
  }
  if (dashes != arguments.end()) {
    auto& target = command_ ? *command_ : words;
    target.insert(target.end(), dashes + 1, arguments.end());
  }
  return set_positionals(std::move(words));
}

}  // namespace tram::cli
