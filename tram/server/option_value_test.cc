#include "tram/server/option_value.h"

#include <doctest/doctest.h>

using namespace tram::server;
using namespace std::chrono_literals;

TEST_CASE("a port is a number, or off") {
  CHECK(read_port("4222") == Port{.open = true, .number = 4222});
  CHECK(read_port("0") == Port{.open = true, .number = 0});
  CHECK(read_port("65535") == Port{.open = true, .number = 65535});
  CHECK(read_port("off") == Port{.open = false});
  for (std::string_view wrong :
       {"", "65536", "-1", "+1", "42x", " 42", "OFF", "4222 ", "0x10", "99999999999999999999999"}) {
    CAPTURE(wrong);
    CHECK(read_port(wrong).error() ==
          "a port is a number from 0 to 65535, where 0 is any free port; or the word off");
  }
}

TEST_CASE("bytes take decimal and binary units, in any case") {
  CHECK(read_bytes("65536") == 65536);
  CHECK(read_bytes("64KiB") == 65536);
  CHECK(read_bytes("64kib") == 65536);
  CHECK(read_bytes("1MB") == 1'000'000);
  CHECK(read_bytes("1kB") == 1000);
  CHECK(read_bytes("2GiB") == uint64_t{2} << 30);
  CHECK(read_bytes("7B") == 7);
  for (std::string_view wrong :
       {"", "MiB", "1 MiB", "1.5MiB", "-1", "1M", "1MiBs", "99999999TiB", "1\001B"}) {
    CAPTURE(wrong);
    CHECK(read_bytes(wrong).error() ==
          "it takes a number of bytes, such as 65536, 64KiB, 1MB or 2GiB");
  }
}

TEST_CASE("a length of time has units, and may have several") {
  CHECK(read_duration("500ms")->nanoseconds() == 500'000'000);
  CHECK(*read_duration("5s") == tram::base::Duration(5s));
  CHECK(*read_duration("1m30s") == tram::base::Duration(90s));
  CHECK(*read_duration("1d") == tram::base::Duration(24h));
  CHECK(*read_duration("0") == tram::base::Duration());
  for (std::string_view wrong :
       {"", "5", "s", "5 s", "5sec", "-5s", "1.5s", "5S", "s5", "99999999999999999d"}) {
    CAPTURE(wrong);
    CHECK(read_duration(wrong).error() ==
          "it takes a length of time with its unit, such as 500ms, 5s, 2m or 1h");
  }
}

TEST_CASE("counts, hosts, flags and text") {
  CHECK(read_count("12") == 12);
  CHECK(read_count("1e3").error() == "it takes a whole number, such as 1000");
  CHECK(read_host("::1") == "::1");
  CHECK(read_host("localhost") == "localhost");
  for (std::string_view wrong : {"", "localhost:4222", "[::1]", "a b", "http://x", "a\n"}) {
    CAPTURE(wrong);
    CHECK(read_host(wrong).error() ==
          "a host is a name or an address alone, such as 127.0.0.1, ::1 or localhost");
  }
  CHECK(read_flag("true") == true);
  CHECK(read_flag("off") == false);
  CHECK(read_flag("maybe").error() == "it takes true or false");
  CHECK(read_text("my broker") == "my broker");
  CHECK(read_text("two\nlines").error() == "it takes text on one line");
}

TEST_CASE("values are shown as they would be given") {
  CHECK(show(Port{.open = false}) == "off");
  CHECK(show(Port{.open = true, .number = 1}) == "1");
  CHECK(show_bytes(uint64_t{64} << 20) == "64MiB");
  CHECK(show_bytes(102'400) == "100KiB");
  CHECK(show_bytes(1'000'000) == "1MB");
  CHECK(show_bytes(1023) == "1023");
  CHECK(show_bytes(0) == "0");
  CHECK(show(tram::base::Duration(90s)) == "1m30s");
  CHECK(show(tram::base::Duration(0s)) == "0");
  for (uint64_t bytes : {1, 999, 1024, 102'400, 1'000'000, 4096 * 1000})
    CHECK(read_bytes(show_bytes(bytes)) == bytes);
}
