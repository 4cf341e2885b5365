#include "tram/cli/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tram::cli {

using base::Bytes;
using base::BytesView;
using base::Errc;
using base::failure;
using base::Result;

namespace {

// At most 64 KiB more; false at the end.
Result<bool> read_some(int descriptor, Bytes& bytes) {
  char block[64 * 1024];
  ssize_t count = ::read(descriptor, block, sizeof block);
  if (count < 0 && errno == EINTR) return failure(Errc::cancelled);
  if (count < 0) return failure(Errc::io_error, fmt::format("reading: {}", std::strerror(errno)));
  bytes.append(block, static_cast<size_t>(count));
  return count != 0;
}

std::unexpected<base::Error> file_error(const std::string& path, int error) {
  Errc code = error == EACCES || error == EPERM || error == EROFS ? Errc::permission_denied
                                                                  : Errc::io_error;
  return failure(code, fmt::format("{}: {}", path, std::strerror(error)));
}

}  // namespace

Result<Bytes> read_all(int descriptor, size_t most) {
  Bytes bytes;
  while (true) {
    auto more = read_some(descriptor, bytes);
    if (!more) return std::unexpected(more.error());
    if (bytes.size() > most) {
      return failure(Errc::message_too_large, fmt::format("more than {} bytes of input", most));
    }
    if (!*more) return bytes;
  }
}

Result<> read_lines(int descriptor, size_t line_bytes_max,
                    const std::function<Result<>(BytesView)>& each) {
  Bytes bytes;
  while (true) {
    auto more = read_some(descriptor, bytes);
    if (!more) return std::unexpected(more.error());
    size_t start = 0;
    for (size_t end; (end = bytes.find('\n', start)) != Bytes::npos; start = end + 1) {
      if (auto done = each(BytesView(bytes).substr(start, end - start)); !done) return done;
    }
    bytes.erase(0, start);
    if (!*more) return bytes.empty() ? Result<>() : each(bytes);
    if (bytes.size() > line_bytes_max) {
      return failure(Errc::message_too_large,
                     fmt::format("a line of more than {} bytes", line_bytes_max));
    }
  }
}

Result<> write_all(int descriptor, BytesView bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd set{descriptor, POLLOUT, 0};
      ::poll(&set, 1, -1);
    } else if (errno == EPIPE) {
      return failure(Errc::connection_lost, "nobody reads the output any more");
    } else if (errno == EINTR) {
      return failure(Errc::cancelled);
    } else {
      return failure(Errc::io_error, fmt::format("writing: {}", std::strerror(errno)));
    }
  }
  return {};
}

Result<> write_file(const std::string& path, BytesView bytes) {
  struct stat old{};
  bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) return file_error(path, EISDIR);
  bool in_place = exists && !S_ISREG(old.st_mode);
  std::string target = in_place ? path : fmt::format("{}.tram-{}", path, ::getpid());
  int flags = in_place ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL;
  int descriptor = ::open(target.c_str(), flags | O_CLOEXEC, 0666);
  if (descriptor < 0) return file_error(path, errno);
  if (exists && !in_place && ::fchmod(descriptor, old.st_mode & 07777) != 0) errno = 0;

  auto written = write_all(descriptor, bytes);
  int error = 0;
  if (written && !in_place && ::fsync(descriptor) != 0) error = errno;
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (written && error == 0 && !in_place && std::rename(target.c_str(), path.c_str()) != 0) {
    error = errno;
  }
  if (written && error == 0) return {};
  if (!in_place) ::unlink(target.c_str());
  return written ? Result<>(file_error(path, error)) : written;
}

}  // namespace tram::cli
