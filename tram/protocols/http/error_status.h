// Which HTTP status goes with which error.
#pragma once

#include <string_view>

#include "tram/base/error.h"

namespace tram::protocols::http {

int status_of(base::Errc code);
// "Not Found" for 404.
std::string_view reason_of(int status);

}  // namespace tram::protocols::http
