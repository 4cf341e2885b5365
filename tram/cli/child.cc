#include "tram/cli/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tram::cli {

using base::Bytes;
using base::BytesView;
using base::Errc;
using base::failure;
using base::Result;

namespace {

void close_end(int& descriptor) {
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

struct Pipe {
  int ends[2] = {-1, -1};
  ~Pipe() {
    close_end(ends[0]);
    close_end(ends[1]);
  }
  bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
};

// Ours and the additions, as `execve` wants them.
std::vector<std::string> environment_lines(const Environment& added) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) {
    // A TRAM_HEADER_ of an outer command must not look like this message's.
    if (!std::string_view(*line).starts_with("TRAM_HEADER_")) lines.emplace_back(*line);
  }
  for (const auto& [name, value] : added) {
    if (value.find('\0') == std::string::npos) lines.push_back(name + "=" + value);
  }
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& lines) {
  std::vector<char*> all;
  for (std::string& line : lines) all.push_back(line.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

void add_headers(Environment& environment, client::HeadersView headers) {
  headers.for_each([&](BytesView name, BytesView value) {
    std::string variable = "TRAM_HEADER_";
    for (char c : name) {
      bool letter = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      bool small = c >= 'a' && c <= 'z';
      variable += letter ? c : small ? static_cast<char>(c - 32) : '_';
    }
    environment.emplace_back(std::move(variable), std::string(value));
  });
}

Result<Child> Child::start(const std::vector<std::string>& words, const Environment& environment,
                           Bytes input, Output output, size_t output_bytes_max) {
  Pipe in, out;
  if (!in.open() || (output == Output::keep && !out.open())) {
    return failure(Errc::io_error, std::strerror(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  if (output == Output::keep) {
    ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  }
  sigset_t usual;
  ::sigemptyset(&usual);
  for (int signal : {SIGPIPE, SIGINT, SIGTERM}) ::sigaddset(&usual, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> arguments = words;
  std::vector<std::string> lines = environment_lines(environment);
  Child child;
  int error = ::posix_spawnp(&child.pid_, words[0].c_str(), &actions, &attributes,
                             pointers(arguments).data(), pointers(lines).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    child.pid_ = -1;
    return failure(Errc::io_error, words[0] + ": " + std::strerror(error));
  }
  child.pid_end_ = static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0));
  if (child.pid_end_ < 0) return failure(Errc::io_error, "pidfd_open (Linux 5.3 is needed)");
  child.input_end_ = std::exchange(in.ends[1], -1);
  child.output_end_ = std::exchange(out.ends[0], -1);
  ::fcntl(child.input_end_, F_SETFL, O_NONBLOCK);
  if (child.output_end_ >= 0) ::fcntl(child.output_end_, F_SETFL, O_NONBLOCK);
  child.input_ = std::move(input);
  child.output_bytes_max_ = output_bytes_max;
  child.feed();
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_end_(std::exchange(other.pid_end_, -1)),
      input_end_(std::exchange(other.input_end_, -1)),
      output_end_(std::exchange(other.output_end_, -1)),
      input_(std::move(other.input_)),
      fed_(other.fed_),
      output_(std::move(other.output_)),
      output_bytes_max_(other.output_bytes_max_),
      output_too_large_(other.output_too_large_),
      ended_(other.ended_),
      exit_code_(other.exit_code_) {}

Child::~Child() {
  if (pid_ > 0 && !ended_) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_end(pid_end_);
  close_end(input_end_);
  close_end(output_end_);
}

void Child::feed() {
  while (input_end_ >= 0 && fed_ < input_.size()) {
    ssize_t count = ::write(input_end_, input_.data() + fed_, input_.size() - fed_);
    if (count > 0) {
      fed_ += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      break;  // it does not want the rest: that is its own business
    }
  }
  close_end(input_end_);
}

void Child::drain() {
  char bytes[64 * 1024];
  while (output_end_ >= 0) {
    ssize_t count = ::read(output_end_, bytes, sizeof bytes);
    if (count > 0) {
      output_.append(bytes, static_cast<size_t>(count));
      if (output_.size() > output_bytes_max_) {
        output_too_large_ = true;
        output_.clear();
        close_end(output_end_);
        signal(SIGKILL);
      }
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {
      close_end(output_end_);
    }
  }
}

void Child::step() {
  feed();
  drain();
  if (ended_) return;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  ended_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  drain();  // what it said last
}

void Child::signal(int number) const {
  if (pid_ > 0 && !ended_) ::kill(-pid_, number);
}

}  // namespace tram::cli
