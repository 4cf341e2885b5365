#include "tram/server/option_file.h"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include "tram/server/nearest_name.h"

namespace tram::server {

namespace {

class Reader {
 public:
  Reader(const std::string& path, FileEntries& found) : path_(path), found_(found) {}

  void read(const toml::table& table, std::string_view section) {
    for (auto&& [key, node] : table) {
      if (section.empty() && node.is_table() && is_section(key.str()))
        read(*node.as_table(), key.str());
      else
        entry(key.str(), node, section);
    }
  }

 private:
  static bool is_section(std::string_view name) {
    for (const OptionSection& section : option_sections())
      if (section.name == name) return true;
    return false;
  }

  std::string place_of(const toml::node& node) const {
    return fmt::format("{}:{}", path_, node.source().begin.line);
  }
  void refuse(const toml::node& node, std::string_view key, std::string_view why) {
    found_.mistakes.push_back(fmt::format("{}: {}: {}", place_of(node), key, why));
  }

  void entry(std::string_view key, const toml::node& node, std::string_view section) {
    const OptionRow* row = find_option(key);
    if (!row || (!section.empty() && row->section != section)) {
      unknown(key, row, node);
      return;
    }
    if (!row->in_file) {
      refuse(node, key,
             "it cannot stand in a file, only on the command line or in the environment");
      return;
    }
    for (const FileEntry& earlier : found_.entries)
      if (earlier.row == row) {
        refuse(node, key, fmt::format("it is given at {} already", earlier.place));
        return;
      }
    if (node.is_string() && row->type != OptionType::flag)
      found_.entries.push_back({row, node.as_string()->get(), place_of(node)});
    else if (node.is_integer() && takes_number(row->type))
      found_.entries.push_back({row, std::to_string(node.as_integer()->get()), place_of(node)});
    else if (node.is_boolean() && row->type == OptionType::flag)
      found_.entries.push_back({row, node.as_boolean()->get() ? "true" : "false", place_of(node)});
    else
      refuse(node, key, fmt::format("it takes {}", kind(row->type)));
  }

  static bool takes_number(OptionType type) {
    return type == OptionType::port || type == OptionType::count || type == OptionType::bytes;
  }
  static std::string_view kind(OptionType type) {
    if (type == OptionType::flag) return "true or false, without quotes";
    if (takes_number(type)) return "a whole number, or text in quotes";
    return "text in quotes";
  }

  void unknown(std::string_view key, const OptionRow* row, const toml::node& node) {
    if (row) {
      refuse(node, key, fmt::format("it belongs into [{}], or above all sections", row->section));
      return;
    }
    std::vector<std::string> known = option_names();
    if (node.is_table())
      for (const OptionSection& section : option_sections()) known.emplace_back(section.name);
    std::string_view nearest = nearest_name(key, known);
    std::string_view what = node.is_table() ? "section or option" : "option";
    if (nearest.empty())
      refuse(node, key, fmt::format("there is no such {}; `tram options` lists them all", what));
    else
      refuse(node, key, fmt::format("there is no such {}; did you mean {}?", what, nearest));
  }

  const std::string& path_;
  FileEntries& found_;
};

}  // namespace

FileEntries parse_option_file(std::string_view text, const std::string& path) {
  FileEntries found;
  toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    found.mistakes.push_back(fmt::format("{}:{}: this is not TOML: {}", path,
                                         error.source().begin.line, error.description()));
    return found;
  }
  Reader(path, found).read(parsed.table(), {});
  return found;
}

const std::vector<std::string>& option_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const OptionRow& row : option_table()) all.emplace_back(row.name);
    return all;
  }();
  return names;
}

}  // namespace tram::server
