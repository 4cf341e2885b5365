// A message from a queue, as --json shows it.
#pragma once

#include <string>

#include "tram/client/queue.h"

namespace tram::cli {

// {"id":..,"queue":..,"attempt":..,"headers":{..},"payload":..}, without a line break.
std::string delivery_json(const client::Delivery& delivery);

}  // namespace tram::cli
