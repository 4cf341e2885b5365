// Who may come in: a user and password, or a token, or anybody.
#pragma once

#include <string>
#include <string_view>

namespace tram::protocols {

class Access {
 public:
  Access() = default;  // Anybody.
  Access(std::string user, std::string password, std::string token)
      : user_(std::move(user)), password_(std::move(password)), token_(std::move(token)) {}

  bool required() const { return !user_.empty() || !token_.empty(); }
  // Takes the same time whatever is wrong, so that guessing learns nothing from the clock.
  bool admits(std::string_view user, std::string_view password, std::string_view token) const;

 private:
  std::string user_;
  std::string password_;
  std::string token_;
};

}  // namespace tram::protocols
