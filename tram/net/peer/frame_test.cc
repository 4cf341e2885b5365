#include "tram/net/peer/frame.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace tram::net;

namespace {

constexpr size_t any_size = frame_payload_max;

std::string framed(const std::string& payload) {
  char header[frame_header_max];
  return std::string(header, write_frame_header(header, payload.size())) + payload;
}

// A header that Go wrote: github.com/ugorji/go/codec 1.3.2, a MsgpackHandle with nothing set, and
// one with WriteExt; a []byte of so many bytes.
struct Recorded {
  size_t size;
  std::string raw;
  std::string bin;
};
const std::vector<Recorded> recorded = {
    {0, {"\xA0", 1}, {"\xC4\x00", 2}},
    {1, {"\xA1", 1}, {"\xC4\x01", 2}},
    {11, {"\xAB", 1}, {"\xC4\x0B", 2}},
    {31, {"\xBF", 1}, {"\xC4\x1F", 2}},
    {32, {"\xDA\x00\x20", 3}, {"\xC4\x20", 2}},
    {255, {"\xDA\x00\xFF", 3}, {"\xC4\xFF", 2}},
    {256, {"\xDA\x01\x00", 3}, {"\xC5\x01\x00", 3}},
    {65535, {"\xDA\xFF\xFF", 3}, {"\xC5\xFF\xFF", 3}},
    {65536, {"\xDB\x00\x01\x00\x00", 5}, {"\xC6\x00\x01\x00\x00", 5}},
};

}  // namespace

TEST_CASE("a header is written byte for byte as Go's codec writes it") {
  for (const Recorded& one : recorded) {
    CAPTURE(one.size);
    char header[frame_header_max];
    CHECK(std::string(header, write_frame_header(header, one.size)) == one.raw);
  }
}

TEST_CASE("what Go's codec writes is read, raw and bin") {
  for (const Recorded& one : recorded) {
    CAPTURE(one.size);
    for (const std::string& header : {one.raw, one.bin}) {
      Frame expected{.kind = Frame::Kind::message, .header = header.size(), .size = one.size};
      CHECK(read_frame(header + std::string(one.size, 'a'), any_size) == expected);
    }
  }
}

TEST_CASE("a whole conversation of Go's is read value by value: nil, nothing, hello world") {
  std::string stream("\xC0\xA0\xABhello world", 14);
  std::vector<std::string> payloads;
  while (!stream.empty()) {
    Frame frame = read_frame(stream, any_size);
    REQUIRE(frame.kind == Frame::Kind::message);
    payloads.push_back(stream.substr(frame.header, frame.size));
    stream.erase(0, frame.header + frame.size);
  }
  CHECK(payloads == std::vector<std::string>{"", "", "hello world"});
}

TEST_CASE("a str8, which other codecs write, is a message") {
  CHECK(read_frame("\xD9\x03"
                   "abc",
                   any_size) == Frame{.kind = Frame::Kind::message, .header = 2, .size = 3});
}

TEST_CASE("a header torn anywhere is waited for, and says nothing before it is whole") {
  for (const Recorded& one : recorded)
    for (const std::string& header : {one.raw, one.bin})
      for (size_t cut = 0; cut < header.size(); ++cut)
        CHECK(read_frame(header.substr(0, cut), any_size) == Frame{});
  for (size_t cut = 0; cut < ask_for_counts.size(); ++cut)
    CHECK(read_frame(ask_for_counts.substr(0, cut), any_size) == Frame{});
  char count[count_size];
  write_count(count, 7);
  for (size_t cut = 0; cut < count_size; ++cut)
    CHECK(read_frame(BytesView(count, cut), any_size) == Frame{});
}

TEST_CASE("a message of the limit is taken, and one byte more is refused by its header alone") {
  for (size_t limit : {0U, 5U, 31U, 32U, 255U, 65535U, 65536U}) {
    CAPTURE(limit);
    CHECK(read_frame(framed(std::string(limit, 'x')), limit).kind == Frame::Kind::message);
    char header[frame_header_max];
    size_t length = write_frame_header(header, limit + 1);
    CHECK(read_frame(BytesView(header, length), limit).kind == Frame::Kind::too_large);
  }
  // Four gigabytes are only announced.
  Frame frame = read_frame("\xDB\xFF\xFF\xFF\xFF", 1024);
  CHECK(frame.kind == Frame::Kind::too_large);
  CHECK(frame.size == 0xFFFFFFFF);
}

TEST_CASE("every other first byte is garbage, whatever follows") {
  std::string known = "\xC4\xC5\xC6\xC0\xD9\xDA\xDB\xCF\xD6";
  for (int byte = 0; byte < 256; ++byte) {
    if (byte >= 0xA0 && byte <= 0xBF) continue;
    if (known.find(static_cast<char>(byte)) != std::string::npos) continue;
    CAPTURE(byte);
    std::string bytes = std::string(1, static_cast<char>(byte)) + "ram1 and more";
    CHECK(read_frame(bytes, any_size).kind == Frame::Kind::garbage);
    CHECK(read_frame(bytes.substr(0, 1), any_size).kind == Frame::Kind::garbage);
  }
}

TEST_CASE("asking for counts, and a count, are frames; another extension is garbage at once") {
  CHECK(read_frame(ask_for_counts, any_size) == Frame{.kind = Frame::Kind::asks, .header = 6});
  for (uint64_t count : {uint64_t{0}, uint64_t{5}, uint64_t{0x0102030405060708}, UINT64_MAX}) {
    char bytes[count_size];
    write_count(bytes, count);
    CHECK(read_frame(BytesView(bytes, count_size), any_size) ==
          Frame{.kind = Frame::Kind::count, .header = 9, .count = count});
  }
  CHECK(read_frame("\xD6T", any_size) == Frame{});
  CHECK(read_frame("\xD6Tx", any_size).kind == Frame::Kind::garbage);
  CHECK(read_frame("\xD6\x01", any_size).kind == Frame::Kind::garbage);
}
