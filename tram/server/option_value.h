// How an option's value is written: 4222, off, 64MiB, 1m30s; read from text and shown again.
//
// Every reader refuses with one sentence that says what would be right, fit to stand behind
// the option's name and what was given.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "tram/base/time.h"

namespace tram::server {

// Where a door is. Closed by `off`; number 0 is any free port.
struct Port {
  bool open = true;
  uint16_t number = 0;
  bool operator==(const Port&) const = default;
};

// The error is the sentence.
template <class T>
using Read = std::expected<T, std::string>;

Read<Port> read_port(std::string_view text);
Read<uint64_t> read_count(std::string_view text);
// 65536, 64KiB, 1MB. Units: B kB MB GB TB, KiB MiB GiB TiB, in any case.
Read<uint64_t> read_bytes(std::string_view text);
// 500ms, 5s, 2m, 1h, 1d, and several in a row: 1m30s. Zero needs no unit.
Read<base::Duration> read_duration(std::string_view text);
// A name or an address, without port, brackets or spaces.
Read<std::string> read_host(std::string_view text);
// Anything on one line.
Read<std::string> read_text(std::string_view text);
// true or false; also yes and no, on and off, 1 and 0.
Read<bool> read_flag(std::string_view text);

// As people write them: the shortest text that reads back as the same value.
std::string show(Port port);
std::string show_bytes(uint64_t bytes);
std::string show(base::Duration duration);

}  // namespace tram::server
