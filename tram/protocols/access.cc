#include "tram/protocols/access.h"

namespace tram::protocols {

namespace {

bool same(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^
                  static_cast<unsigned char>(wanted.empty() ? 1 : wanted[i % wanted.size()]);
  return difference == 0;
}

}  // namespace

bool Access::admits(std::string_view user, std::string_view password,
                    std::string_view token) const {
  if (!required()) return true;
  // Both halves are always compared: & and |, not && and ||.
  bool by_user = !user_.empty() & same(user, user_) & same(password, password_);
  bool by_token = !token_.empty() & same(token, token_);
  return by_user | by_token;
}

}  // namespace tram::protocols
