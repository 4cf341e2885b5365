#include "tram/protocols/http/target.h"

#include <charconv>
#include <fmt/format.h>

namespace tram::protocols::http {

namespace {

// More than any request takes; a stranger's query must not cost more than this.
constexpr size_t parameters_max = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(BytesView text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return base::failure(base::Errc::invalid_argument,
                             "a percent sign must be followed by two hexadecimal digits");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

Result<std::string> decode_segment(BytesView segment) { return decode(segment, false); }
Result<std::string> decode_parameter(BytesView text) { return decode(text, true); }

Query::Query(BytesView query) {
  while (!query.empty() && !error_) {
    size_t end = query.find('&');
    BytesView one = query.substr(0, end);
    query.remove_prefix(end == BytesView::npos ? query.size() : end + 1);
    if (one.empty()) continue;
    size_t equals = one.find('=');
    Result<std::string> name = decode_parameter(one.substr(0, equals));
    Result<std::string> value =
        decode_parameter(equals == BytesView::npos ? BytesView() : one.substr(equals + 1));
    if (!name)
      error_ = name.error();
    else if (!value)
      error_ = value.error();
    else if (parameters_.size() == parameters_max)
      error_ = base::Error{base::Errc::invalid_argument, "too many parameters"};
    else
      parameters_.push_back({std::move(*name), std::move(*value)});
  }
}

Query::Parameter* Query::find(std::string_view name) {
  asked_.push_back(name);
  Parameter* first = nullptr;
  for (Parameter& parameter : parameters_) {
    if (parameter.name != name) continue;
    parameter.known = true;
    if (first == nullptr) first = &parameter;
  }
  return error_ ? nullptr : first;
}

void Query::refuse(std::string_view name, std::string_view what) {
  if (!error_)
    error_ =
        base::Error{base::Errc::invalid_argument, fmt::format("\"{}\" must be {}", name, what)};
}

void Query::number(std::string_view name, uint64_t least, uint64_t most, uint64_t& value) {
  Parameter* found = find(name);
  if (!found) return;
  uint64_t number = 0;
  const char* end = found->value.data() + found->value.size();
  auto [stop, error] = std::from_chars(found->value.data(), end, number);
  if (error != std::errc() || stop != end || number < least || number > most)
    return refuse(name, fmt::format("a whole number from {} to {}", least, most));
  value = number;
}

void Query::milliseconds(std::string_view name, uint64_t least, uint64_t most, Duration& value) {
  auto number_of_ms = static_cast<uint64_t>(value.milliseconds());
  number(name, least, most, number_of_ms);
  value = Duration::from_milliseconds(static_cast<int64_t>(number_of_ms));
}

bool Query::text(std::string_view name, std::string& value) {
  Parameter* found = find(name);
  if (found) value = found->value;
  return found != nullptr;
}

void Query::texts(std::string_view name, std::vector<std::string>& values) {
  find(name);
  for (const Parameter& parameter : parameters_)
    if (parameter.name == name) values.push_back(parameter.value);
}

void Query::boolean(std::string_view name, bool& value) {
  Parameter* found = find(name);
  if (!found) return;
  if (found->value != "true" && found->value != "false") return refuse(name, "true or false");
  value = found->value == "true";
}

Result<> Query::finish() {
  if (error_) return std::unexpected(*error_);
  for (const Parameter& parameter : parameters_) {
    if (parameter.known) continue;
    std::string_view name = std::string_view(parameter.name).substr(0, 64);
    if (asked_.empty())
      return base::failure(base::Errc::invalid_argument,
                           fmt::format("unknown parameter \"{}\": this takes none", name));
    return base::failure(
        base::Errc::invalid_argument,
        fmt::format("unknown parameter \"{}\": this takes {}", name, fmt::join(asked_, ", ")));
  }
  return {};
}

}  // namespace tram::protocols::http
