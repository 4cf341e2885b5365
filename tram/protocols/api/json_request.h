// The JSON object that a request brings, read member by member: every member must be known,
// of the right kind, and in range; whatever is not is refused by name, with what would be right.
//
//   JsonRequest request = JsonRequest::parse(body);
//   request.number("n", 1, 1000, options.count);
//   request.text("subject", subject);
//   if (Result<> read = request.finish(); !read) return std::unexpected(read.error());
//
// Nesting beyond 32 levels is refused; how long a body may be is the caller's limit. Invalid UTF-8
// is refused: what is not text travels as base64.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::protocols::api {

using base::BytesView;
using base::Result;

class JsonRequest {
 public:
  // Nothing but white space reads as {}.
  static JsonRequest parse(BytesView json);
  // One that is yet to be parsed: assign to it before anything else.
  JsonRequest();
  JsonRequest(JsonRequest&&) noexcept;
  JsonRequest& operator=(JsonRequest&&) noexcept;
  ~JsonRequest();

  // Is there such a member? It then counts as known.
  bool has(std::string_view name);
  // Each of these leaves `value` as it is when the member is absent, or wrong. Texts are views
  // into the request.
  void number(std::string_view name, uint64_t least, uint64_t most, uint64_t& value);
  void milliseconds(std::string_view name, uint64_t least, uint64_t most, base::Duration& value);
  void text(std::string_view name, std::optional<BytesView>& value);
  void boolean(std::string_view name, bool& value);
  // A 64-bit id: a number, or a string of digits, as JavaScript's numbers end at 2^53.
  void id(std::string_view name, uint64_t& value);
  // An object of texts, or of lists of texts: {"Name":"value","Other":["one","two"]}.
  void texts(std::string_view name, std::vector<std::pair<BytesView, BytesView>>& values);
  // An object inside. `read` is called with it, if it is there; its unknown members and mistakes
  // count as this request's.
  void object(std::string_view name, const std::function<void(JsonRequest&)>& read);

  // Errors: invalid_json, if it was not a JSON object; invalid_argument, for the first member
  // that was wrong or is not known.
  Result<> finish();

 private:
  struct Document;
  const void* find(std::string_view name);
  void refuse(std::string_view name, std::string_view what);

  std::unique_ptr<Document> document_;
};

}  // namespace tram::protocols::api
