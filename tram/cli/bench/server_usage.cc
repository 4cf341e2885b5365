#include "tram/cli/bench/server_usage.h"

#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fmt/core.h>
#include <memory>
#include <string>
#include <unistd.h>

namespace tram::cli::bench {

namespace {

std::string contents(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose);
  if (!file) return {};
  char bytes[4096];
  return std::string(bytes, std::fread(bytes, 1, sizeof bytes, file.get()));
}

double threads_run_seconds(uint64_t pid) {
  std::string folder = fmt::format("/proc/{}/task", pid);
  std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir(folder.c_str()), &::closedir);
  double sum = 0;
  while (dirent* task = tasks ? ::readdir(tasks.get()) : nullptr) {
    if (task->d_name[0] == '.') continue;
    unsigned long long nanoseconds = 0;
    std::string line = contents(fmt::format("{}/{}/schedstat", folder, task->d_name));
    if (std::sscanf(line.c_str(), "%llu", &nanoseconds) == 1)
      sum += static_cast<double>(nanoseconds);
  }
  return sum * 1e-9;
}

}  // namespace

std::optional<ServerUsage> usage_of(uint64_t pid) {
  std::string stat = contents(fmt::format("/proc/{}/stat", pid));
  // The name in parentheses may hold anything, a ) too: fields count from the last one.
  size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  unsigned long long user = 0;
  unsigned long long system = 0;
  if (std::sscanf(stat.c_str() + name_end + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2) {
    return std::nullopt;
  }
  ServerUsage usage;
  usage.cpu_seconds = threads_run_seconds(pid);
  if (usage.cpu_seconds == 0) {
    usage.cpu_seconds =
        static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  std::string status = contents(fmt::format("/proc/{}/status", pid));
  unsigned long long kilobytes = 0;
  const char* memory = std::strstr(status.c_str(), "VmRSS:");
  if (memory != nullptr && std::sscanf(memory, "VmRSS: %llu kB", &kilobytes) == 1) {
    usage.memory_bytes = kilobytes * 1024;
  }
  return usage;
}

}  // namespace tram::cli::bench
