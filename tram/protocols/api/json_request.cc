// Boost.JSON's body is compiled here; nothing else of ours includes it.
#include "tram/protocols/api/json_request.h"

#include <boost/json.hpp>
#include <charconv>
#include <fmt/format.h>

namespace tram::protocols::api {

namespace json = boost::json;

namespace {

constexpr size_t depth_max = 32;

bool is_blank(BytesView text) { return text.find_first_not_of(" \t\r\n") == BytesView::npos; }
BytesView view(const json::string& text) { return {text.data(), text.size()}; }

std::optional<uint64_t> as_unsigned(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<uint64_t>(value.get_int64());
  return std::nullopt;
}

}  // namespace

struct JsonRequest::Document {
  json::monotonic_resource memory;
  json::value value;  // Of the outermost request.
  const json::object* object = nullptr;
  std::vector<std::string> known;
  std::optional<base::Error> error;
};

JsonRequest::JsonRequest() : document_(std::make_unique<Document>()) {}
JsonRequest::JsonRequest(JsonRequest&&) noexcept = default;
JsonRequest& JsonRequest::operator=(JsonRequest&&) noexcept = default;
JsonRequest::~JsonRequest() = default;

JsonRequest JsonRequest::parse(BytesView text) {
  JsonRequest request;
  Document& document = *request.document_;
  if (is_blank(text)) text = "{}";
  json::parse_options options;
  options.max_depth = depth_max;
  json::error_code error;
  // Values die before the memory they lie in: it is declared first.
  document.value = json::parse(json::string_view(text.data(), text.size()), error,
                               json::storage_ptr(&document.memory), options);
  if (error)
    document.error = base::Error{base::Errc::invalid_json, error.message()};
  else if (!document.value.is_object())
    document.error = base::Error{base::Errc::invalid_json, "it must be an object"};
  else
    document.object = &document.value.get_object();
  return request;
}

const void* JsonRequest::find(std::string_view name) {
  Document& document = *document_;
  if (document.error) return nullptr;
  document.known.emplace_back(name);
  return document.object->if_contains(json::string_view(name.data(), name.size()));
}

bool JsonRequest::has(std::string_view name) { return find(name) != nullptr; }

void JsonRequest::refuse(std::string_view name, std::string_view what) {
  if (!document_->error)
    document_->error =
        base::Error{base::Errc::invalid_argument, fmt::format("\"{}\" must be {}", name, what)};
}

void JsonRequest::number(std::string_view name, uint64_t least, uint64_t most, uint64_t& value) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  std::optional<uint64_t> number = as_unsigned(*found);
  if (!number || *number < least || *number > most)
    return refuse(name, fmt::format("a whole number from {} to {}", least, most));
  value = *number;
}

void JsonRequest::milliseconds(std::string_view name, uint64_t least, uint64_t most,
                               base::Duration& value) {
  auto number_of_ms = static_cast<uint64_t>(value.milliseconds());
  uint64_t before = number_of_ms;
  number(name, least, most, number_of_ms);
  if (number_of_ms != before)
    value = base::Duration::from_milliseconds(static_cast<int64_t>(number_of_ms));
}

void JsonRequest::text(std::string_view name, std::optional<BytesView>& value) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  if (!found->is_string()) return refuse(name, "a string");
  value = view(found->get_string());
}

void JsonRequest::boolean(std::string_view name, bool& value) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  if (!found->is_bool()) return refuse(name, "true or false");
  value = found->get_bool();
}

void JsonRequest::id(std::string_view name, uint64_t& value) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  if (std::optional<uint64_t> number = as_unsigned(*found)) {
    value = *number;
    return;
  }
  if (found->is_string()) {
    BytesView digits = view(found->get_string());
    uint64_t number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      value = number;
      return;
    }
  }
  refuse(name, "a whole number, or a string of digits");
}

void JsonRequest::texts(std::string_view name,
                        std::vector<std::pair<BytesView, BytesView>>& values) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  constexpr std::string_view wanted = "an object of strings, or of lists of strings";
  if (!found->is_object()) return refuse(name, wanted);
  for (const json::key_value_pair& member : found->get_object()) {
    BytesView key(member.key().data(), member.key().size());
    if (member.value().is_string()) {
      values.emplace_back(key, view(member.value().get_string()));
      continue;
    }
    if (!member.value().is_array()) return refuse(name, wanted);
    for (const json::value& one : member.value().get_array()) {
      if (!one.is_string()) return refuse(name, wanted);
      values.emplace_back(key, view(one.get_string()));
    }
  }
}

void JsonRequest::object(std::string_view name, const std::function<void(JsonRequest&)>& read) {
  const auto* found = static_cast<const json::value*>(find(name));
  if (!found) return;
  if (!found->is_object()) return refuse(name, "an object");
  JsonRequest inner;
  inner.document_->object = &found->get_object();
  read(inner);
  if (Result<> done = inner.finish(); !done && !document_->error)
    document_->error =
        base::Error{done.error().code, fmt::format("in \"{}\": {}", name, done.error().detail)};
}

Result<> JsonRequest::finish() {
  Document& document = *document_;
  if (document.error) return std::unexpected(*document.error);
  for (const json::key_value_pair& member : *document.object) {
    std::string_view name(member.key().data(), member.key().size());
    if (std::find(document.known.begin(), document.known.end(), name) != document.known.end())
      continue;
    // However long the stranger's name is, the answer is short.
    return base::failure(base::Errc::invalid_argument,
                         fmt::format("unknown member \"{}\": this takes {}", name.substr(0, 64),
                                     fmt::join(document.known, ", ")));
  }
  return {};
}

}  // namespace tram::protocols::api
