#include "tram/broker/mailbox_id.h"

#include <doctest/doctest.h>

using namespace tram::broker;

TEST_CASE("a mailbox id is shown as a version 4 UUID and read back in either case") {
  MailboxId id = mailbox_id_from_random(0xFFFFFFFF'FFFFFFFF, 0xFFFFFFFF'FFFFFFFF);
  CHECK(to_text(id) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(to_text(mailbox_id_from_random(0, 0)) == "00000000-0000-4000-8000-000000000000");
  CHECK(parse_mailbox_id(to_text(id)) == id);
  CHECK(parse_mailbox_id("FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF") == id);
  MailboxId mixed = mailbox_id_from_random(0x0123456789abcdef, 0x0fedcba987654321);
  CHECK(to_text(mixed) == "01234567-89ab-4def-8fed-cba987654321");
  CHECK(parse_mailbox_id(to_text(mixed)) == mixed);
}

TEST_CASE("what is not a UUID is not a mailbox id") {
  for (auto text :
       {"", "x", "ffffffff-ffff-4fff-bfff-fffffffffff", "ffffffff-ffff-4fff-bfff-ffffffffffff0",
        "ffffffffx-fff-4fff-bfff-ffffffffffff", "ffffffff-ffff-4fff-bfff-fffffffffffg",
        "fffffffff-fff-4fff-bfff-ffffffffffff", "{fffffff-ffff-4fff-bfff-ffffffffffff"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mailbox_id(text).has_value());
  }
}
