// What a request's target says: segments of its path, parameters of its query.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::protocols::http {

using base::BytesView;
using base::Duration;
using base::Result;

// Undoes %41. Errors: invalid_argument, for a percent sign without two hexadecimal digits. A plus
// is a plus in a path, and a space in a query.
Result<std::string> decode_segment(BytesView segment);
Result<std::string> decode_parameter(BytesView text);

// The parameters of a query, asked for by name; like JsonRequest, it then refuses the first
// that was wrong or that nobody asked for, by name.
class Query {
 public:
  // `query` is as sent, and outlives this.
  explicit Query(BytesView query);

  // Each leaves `value` as it is when the parameter is absent or wrong.
  void number(std::string_view name, uint64_t least, uint64_t most, uint64_t& value);
  void milliseconds(std::string_view name, uint64_t least, uint64_t most, Duration& value);
  // True if it is there. The first one, if there are several.
  bool text(std::string_view name, std::string& value);
  // Every one of that name.
  void texts(std::string_view name, std::vector<std::string>& values);
  void boolean(std::string_view name, bool& value);

  // Errors: invalid_argument.
  Result<> finish();

 private:
  struct Parameter {
    std::string name;
    std::string value;
    bool known = false;
  };
  void refuse(std::string_view name, std::string_view what);
  Parameter* find(std::string_view name);

  std::vector<Parameter> parameters_;
  std::vector<std::string_view> asked_;
  std::optional<base::Error> error_;
};

}  // namespace tram::protocols::http
