#include "tram/cli/files.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tram::cli;
using tram::base::Bytes;
using tram::base::BytesView;
using tram::base::Errc;
using tram::base::Result;

namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/tram-files-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What `text` says through a pipe, to a function that reads a descriptor.
template <class Read>
auto through_pipe(const std::string& text, Read read) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  auto result = read(ends[0]);
  ::close(ends[0]);
  return result;
}

std::string lines_of(const std::string& text) {
  std::string seen;
  auto each = [&](BytesView line) -> Result<> {
    seen.append("<").append(line).append(">");
    return {};
  };
  auto read = through_pipe(text, [&](int descriptor) { return read_lines(descriptor, 100, each); });
  return read ? seen : seen + std::string(name_of(read.error().code));
}

}  // namespace

TEST_CASE("input is read to its end, up to a limit") {
  CHECK(*through_pipe("hello", [](int d) { return read_all(d, 5); }) == "hello");
  CHECK(through_pipe("hello!", [](int d) { return read_all(d, 5); }).error().code ==
        Errc::message_too_large);
}

TEST_CASE("lines come without their breaks, the last one with or without") {
  CHECK(lines_of("a\nb\n") == "<a><b>");
  CHECK(lines_of("a\n\nb") == "<a><><b>");
  CHECK(lines_of("") == "");
  CHECK(lines_of("a\n" + std::string(101, 'x')) == "<a>message_too_large");
}

TEST_CASE("a file is replaced whole, with its mode, and leaves nothing beside it") {
  Folder folder;
  std::string path = folder.path + "/pic";
  CHECK(write_file(path, "first"));
  ::chmod(path.c_str(), 0640);
  CHECK(write_file(path, BytesView("a\0b", 3)));
  CHECK(contents(path) == Bytes("a\0b", 3));
  struct stat status{};
  ::stat(path.c_str(), &status);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that cannot be written fails, and what was there stays") {
  Folder folder;
  CHECK(!write_file(folder.path + "/none/pic", "x"));
  CHECK(!write_file(folder.path, "x"));
  CHECK(folder.files() == 0);
  CHECK(write_file("/dev/null", "x"));
  CHECK(!write_file("/dev/full", "x"));
}
