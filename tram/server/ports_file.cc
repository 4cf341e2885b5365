#include "tram/server/ports_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/core.h>

namespace tram::server {

namespace {

base::Result<> failed(const std::string& path, int error) {
  return base::failure(error == EACCES ? base::Errc::permission_denied : base::Errc::io_error,
                       fmt::format("{}: {}", path, std::strerror(error)));
}

}  // namespace

// Names are ours and addresses are numbers, dots and brackets, so nothing needs escaping.
std::string ports_json(const std::vector<OpenDoor>& doors) {
  std::string json = "{";
  for (const OpenDoor& door : doors)
    json += fmt::format("{}\"{}\":\"{}\"", json.size() > 1 ? "," : "", door.name, door.address);
  return json + "}\n";
}

base::Result<> write_ports_file(const std::string& path, const std::vector<OpenDoor>& doors) {
  std::string draft = path + ".new";
  std::FILE* file = std::fopen(draft.c_str(), "we");
  if (!file) return failed(draft, errno);
  std::string json = ports_json(doors);
  bool written = std::fwrite(json.data(), 1, json.size(), file) == json.size();
  int error = errno;
  if (std::fclose(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (!written || std::rename(draft.c_str(), path.c_str()) != 0) {
    if (written) error = errno;
    std::remove(draft.c_str());
    return failed(path, error);
  }
  return {};
}

}  // namespace tram::server
