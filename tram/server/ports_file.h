// Where the doors are, for programs that start the broker on free ports:
//   {"beuss":"127.0.0.1:6552","http":"127.0.0.1:8082",...}
#pragma once

#include <string>
#include <vector>

#include "tram/base/result.h"

namespace tram::server {

struct OpenDoor {
  std::string name;
  std::string address;  // "127.0.0.1:4222" or "[::1]:4222"
};

std::string ports_json(const std::vector<OpenDoor>& doors);

// Whole or not at all: written under another name, then renamed. Errors: permission_denied,
// io_error.
base::Result<> write_ports_file(const std::string& path, const std::vector<OpenDoor>& doors);

}  // namespace tram::server
