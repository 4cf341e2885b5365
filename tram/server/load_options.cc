#include "tram/server/load_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/core.h>

#include "tram/base/assert.h"
#include "tram/cli/nearest.h"
#include "tram/server/option_file.h"

namespace tram::server {

namespace {

// What was given in one place, for each row of the table; the text to name it by in messages.
struct Given {
  std::string name;
  std::string value;
};
using GivenRows = std::vector<std::optional<Given>>;

size_t index_of(const OptionRow& row) { return static_cast<size_t>(&row - option_table().data()); }

std::string quoted(const OptionRow& row, const std::string& value) {
  return row.secret ? "(hidden)" : fmt::format("'{}'", value);
}

class Loading {
 public:
  explicit Loading(const OptionInput& input) : input_(input) {
    loaded_.options = default_options();
    loaded_.sources.assign(option_table().size(), OptionSource::fallback);
  }

  std::expected<LoadedOptions, Mistakes> load() {
    GivenRows flags = read_flags();
    if (loaded_.help) return std::move(loaded_);
    GivenRows environment = read_environment();
    GivenRows file = read_file(flags, environment);
    take(file, OptionSource::file);
    take(environment, OptionSource::environment);
    take(flags, OptionSource::flag);
    if (mistakes_.empty()) check_together();
    if (!mistakes_.empty()) return std::unexpected(std::move(mistakes_));
    return std::move(loaded_);
  }

 private:
  GivenRows read_flags();
  void unknown_argument(const std::string& argument);
  GivenRows read_environment();
  void unknown_variable(std::string_view name);
  GivenRows read_file(const GivenRows& flags, const GivenRows& environment);
  void take(const GivenRows& given, OptionSource source);
  void check_together();
  void check_ports();

  const OptionInput& input_;
  LoadedOptions loaded_;
  Mistakes mistakes_;
};

GivenRows Loading::read_flags() {
  std::span<const OptionRow> table = option_table();
  GivenRows given(table.size());
  std::vector<std::string> values(table.size());
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", loaded_.help);
  std::vector<CLI::Option*> options;
  bool check = false;
  for (const OptionRow& row : table) {
    std::string name = fmt::format("--{}", row.name);
    options.push_back(row.type == OptionType::flag
                          ? app.add_flag(name, check)
                          : app.add_option(name, values[index_of(row)])->take_last());
  }
  try {
    // CLI11 takes its arguments from the back.
    std::vector<std::string> arguments(input_.arguments.rbegin(), input_.arguments.rend());
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    mistakes_.push_back(error.what());
    return given;
  }
  for (const OptionRow& row : table) {
    size_t index = index_of(row);
    if (options[index]->count() == 0) continue;
    std::string value = row.type == OptionType::flag ? (check ? "true" : "false") : values[index];
    given[index] = Given{fmt::format("--{}", row.name), std::move(value)};
  }
  bool value_of_unknown = false;
  for (const std::string& argument : app.remaining()) {
    bool option = argument.starts_with('-');
    // What stands behind an unknown option is most likely its value.
    if (option || !value_of_unknown) unknown_argument(argument);
    value_of_unknown = option && argument.find('=') == std::string::npos;
  }
  return given;
}

void Loading::unknown_argument(const std::string& argument) {
  if (!argument.starts_with('-')) {
    mistakes_.push_back(
        fmt::format("{}: serve takes options only, each beginning with --", argument));
    return;
  }
  std::string_view name = argument;
  name = name.substr(0, name.find('='));
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  std::vector<std::string> known = option_names();
  known.emplace_back("help");
  std::string nearest = cli::nearest(name, known);
  if (nearest.empty())
    mistakes_.push_back(
        fmt::format("{}: there is no such option; `tram serve --help` lists them all", argument));
  else
    mistakes_.push_back(
        fmt::format("{}: there is no such option; did you mean --{}?", argument, nearest));
}

GivenRows Loading::read_environment() {
  std::span<const OptionRow> table = option_table();
  GivenRows given(table.size());
  for (const std::string& variable : input_.environment) {
    size_t equals = variable.find('=');
    if (equals == std::string::npos) continue;
    std::string_view name = std::string_view(variable).substr(0, equals);
    bool known = !name.starts_with("TRAM_");
    for (std::string_view theirs : client_variables()) known = known || name == theirs;
    for (const OptionRow& row : table) {
      std::optional<Given>& place = given[index_of(row)];
      bool ours = name == environment_name(row);
      known = known || ours;
      // Of the two names that an option may have here, ours wins. An empty BPORT is none at
      // all, as for the program that it comes from.
      bool theirs = !row.also.empty() && name == row.also && equals + 1 < variable.size();
      if (ours || (theirs && !place)) place = Given{std::string(name), variable.substr(equals + 1)};
    }
    if (!known) unknown_variable(name);
  }
  return given;
}

void Loading::unknown_variable(std::string_view name) {
  std::vector<std::string> known;
  for (const OptionRow& row : option_table()) known.push_back(environment_name(row));
  std::string nearest = cli::nearest(name, known);
  if (nearest.empty())
    mistakes_.push_back(
        fmt::format("{}: there is no such variable; `tram options` lists them all", name));
  else
    mistakes_.push_back(
        fmt::format("{}: there is no such variable; did you mean {}?", name, nearest));
}

GivenRows Loading::read_file(const GivenRows& flags, const GivenRows& environment) {
  GivenRows given(option_table().size());
  size_t config = index_of(*find_option("config"));
  const std::optional<Given>& path = flags[config] ? flags[config] : environment[config];
  if (!path || path->value.empty()) return given;
  base::Result<std::string> text = input_.read_file(path->value);
  if (!text) {
    mistakes_.push_back(fmt::format("{} '{}': {}", path->name, path->value, text.error().text()));
    return given;
  }
  FileEntries found = parse_option_file(*text, path->value);
  for (FileEntry& entry : found.entries)
    given[index_of(*entry.row)] =
        Given{fmt::format("{}: {}", entry.place, entry.row->name), std::move(entry.value)};
  for (std::string& mistake : found.mistakes) mistakes_.push_back(std::move(mistake));
  return given;
}

void Loading::take(const GivenRows& given, OptionSource source) {
  for (const OptionRow& row : option_table()) {
    const std::optional<Given>& value = given[index_of(row)];
    if (!value) continue;
    Read<void> set = set_option(loaded_.options, row, value->value);
    if (set)
      loaded_.sources[index_of(row)] = source;
    else
      mistakes_.push_back(
          fmt::format("{} {}: {}", value->name, quoted(row, value->value), set.error()));
  }
}

// What no option can tell alone.
void Loading::check_together() {
  const Options& options = loaded_.options;
  if (!options.user.empty() && options.password.empty())
    mistakes_.push_back("user: a user needs a password as well: set TRAM_PASSWORD");
  if (options.user.empty() && !options.password.empty())
    mistakes_.push_back("password: a password needs a user as well: set --user");
  if (options.pending_max < options.max_message_bytes)
    mistakes_.push_back(
        fmt::format("pending-max {}: it is at least one largest message, max-message-bytes {}",
                    show_bytes(options.pending_max), show_bytes(options.max_message_bytes)));
  check_ports();
}

void Loading::check_ports() {
  const Options& options = loaded_.options;
  struct Door {
    std::string_view name;
    Port port;
  };
  std::array<Door, 4> doors = {{{"nats-port", options.nats_port},
                                {"http-port", options.http_port},
                                {"metrics-port", options.metrics_port},
                                {"beuss-port", options.beuss_port}}};
  bool any = false;
  for (size_t i = 0; i < doors.size(); ++i) {
    any = any || doors[i].port.open;
    for (size_t j = 0; j < i; ++j)
      if (doors[i].port == doors[j].port && doors[i].port.open && doors[i].port.number != 0)
        mistakes_.push_back(fmt::format("{} {}: {} has that port already; each door needs its own",
                                        doors[i].name, doors[i].port.number, doors[j].name));
  }
  if (!any) mistakes_.push_back("nats-port off: every door is off, so nobody could come in");
}

}  // namespace

std::string_view name_of(OptionSource source) {
  switch (source) {
    case OptionSource::fallback:
      return "default";
    case OptionSource::file:
      return "file";
    case OptionSource::environment:
      return "environment";
    case OptionSource::flag:
      return "flag";
  }
  return "unknown";
}

OptionSource LoadedOptions::source_of(std::string_view name) const {
  const OptionRow* row = find_option(name);
  TRAM_ASSERT(row, name);
  return sources[index_of(*row)];
}

std::expected<LoadedOptions, Mistakes> load_options(const OptionInput& input) {
  return Loading(input).load();
}

std::span<const std::string_view> client_variables() {
  static constexpr std::array<std::string_view, 1> names = {"TRAM_URL"};
  return names;
}

base::Result<std::string> read_option_file(const std::string& path) {
  constexpr size_t most = size_t{1} << 20;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (!file)
    return base::failure(errno == EACCES ? base::Errc::permission_denied : base::Errc::io_error,
                         std::strerror(errno));
  std::string text(most + 1, '\0');
  errno = 0;
  size_t size = std::fread(text.data(), 1, text.size(), file);
  int error = std::ferror(file) ? errno : 0;
  std::fclose(file);
  if (error) return base::failure(base::Errc::io_error, std::strerror(error));
  if (size > most)
    return base::failure(base::Errc::invalid_argument,
                         "it is larger than 1MiB, so no configuration");
  text.resize(size);
  return text;
}

}  // namespace tram::server
