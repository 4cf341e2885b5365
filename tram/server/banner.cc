#include "tram/server/banner.h"

#include <cstdio>
#include <fmt/core.h>

namespace tram::server {

namespace {

// What to try there. The command line finds the usual port by itself, any other by its URL.
std::string example(const OpenDoor& door, std::string_view program) {
  std::string_view port = std::string_view(door.address).substr(door.address.rfind(':') + 1);
  if (door.name == "nats") {
    std::string server = port == "4222" ? "" : fmt::format(" --server nats://{}", door.address);
    return fmt::format("{} put jobs hello{}", program, server);
  }
  if (door.name == "http") return fmt::format("curl -d hello {}/v1/queues/jobs", door.address);
  if (door.name == "metrics") return fmt::format("curl {}/metrics", door.address);
  if (door.name == "beuss") {
    std::string variable = port == "6552" ? "" : fmt::format("BPORT={} ", port);
    return fmt::format("echo hello | {}{} PUT jobs", variable, program);
  }
  return {};
}

}  // namespace

std::string banner(std::string_view version, const std::vector<OpenDoor>& doors,
                   std::string_view program) {
  std::string text = fmt::format("\n  Tram {} is open. Try, in another terminal:\n\n", version);
  for (const OpenDoor& door : doors)
    text += fmt::format("  {:<8} {:<22} {}\n", door.name, door.address, example(door, program));
  return text + "\n  Ctrl-C stops it, twice at once.\n\n";
}

std::string program_name() {
  std::string name(4096, '\0');
  std::FILE* file = std::fopen("/proc/self/cmdline", "re");
  if (!file) return "tram";
  name.resize(std::fread(name.data(), 1, name.size(), file));
  std::fclose(file);
  name.resize(std::min(name.size(), name.find('\0')));
  return name.empty() ? "tram" : name;
}

}  // namespace tram::server
