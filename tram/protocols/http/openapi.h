// The description of this door that it serves: tram/protocols/http/openapi.json, compiled in.
#pragma once

#include "tram/base/bytes.h"

namespace tram::protocols::http {

base::BytesView openapi_json();

}  // namespace tram::protocols::http
