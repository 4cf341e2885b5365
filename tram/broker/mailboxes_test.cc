#include "tram/broker/mailboxes.h"

#include <doctest/doctest.h>

#include "tram/broker/testing/world.h"

using namespace tram::broker;
using namespace std::chrono_literals;
using tram::test::World;

namespace {

const MailboxId one = mailbox_id_from_random(1, 1), two = mailbox_id_from_random(2, 2);

std::string deposit(World& world, MailboxId id, BytesView subject, BytesView payload) {
  return world.run(Deposit{id, subject, Content("", payload)});
}

std::string said(const std::string& line) { return line.substr(line.find(' ') + 1); }

}  // namespace

TEST_CASE("a mailbox keeps what comes until it is fetched, in order") {
  World world;
  CHECK(said(world.run(OpenMailbox{one, "a.*"})) == "done 0\n");
  CHECK(deposit(world, one, "a.x", "1") == "");
  CHECK(deposit(world, one, "a.y", "2") == "");
  CHECK(said(world.run(FetchMailbox{one, "a.*"})) == "mailbox 1 2\n");
  CHECK(said(world.run(FetchMailbox{one, "a.*"})) == "mailbox\n");
}

TEST_CASE("fetching takes the id and the pattern it was opened with") {
  World world;
  world.run(OpenMailbox{one, "a"});
  CHECK(said(world.run(FetchMailbox{one, "b"})).starts_with("mailbox_not_found"));
  CHECK(said(world.run(FetchMailbox{two, "a"})).starts_with("mailbox_not_found"));
  CHECK(said(world.run(OpenMailbox{one, "a"})).starts_with("invalid_argument"));
  CHECK(said(world.run(OpenMailbox{two, "a..b"})).starts_with("invalid_subject"));
}

TEST_CASE("with a limit of n and one mailbox, n + 1 checked publishes pass, as in GopherMQ") {
  World world({.mailbox_pending_max = 2});
  world.run(OpenMailbox{one, "a"});
  for (int i = 0; i < 3; ++i) {
    CHECK(said(world.run(CheckPending{"a"})) == "done 0\n");
    deposit(world, one, "a", "x");
  }
  CHECK(said(world.run(CheckPending{"a"})).starts_with("overflow"));
  CHECK(said(world.run(CheckPending{"b"})) == "done 0\n");
  deposit(world, one, "a", "dropped");
  CHECK(world.broker().totals().mailbox_drops == 1);
  CHECK(said(world.run(FetchMailbox{one, "a"})) == "mailbox x x x\n");
  CHECK(said(world.run(CheckPending{"a"})) == "done 0\n");
}

TEST_CASE("a checked publish that passes reaches all of the subject's mailboxes") {
  World world({.mailbox_pending_max = 1});
  world.run(OpenMailbox{one, "a"});
  world.run(OpenMailbox{two, "*"});
  deposit(world, one, "a", "1");
  CHECK(said(world.run(CheckPending{"a"})) == "done 0\n");
  deposit(world, one, "a", "2");
  deposit(world, two, "a", "2");
  CHECK(said(world.run(CheckPending{"a"})).starts_with("overflow"));
  CHECK(world.broker().totals().mailbox_drops == 0);
  CHECK(world.broker().totals().mailbox_messages == 3);
}

TEST_CASE("what waits in all mailboxes is bounded in bytes, empty messages too") {
  World world({.mailbox_bytes_max = 2 * Limits::mailbox_message_overhead + 5});
  world.run(OpenMailbox{one, ">"});
  deposit(world, one, "a", "123456");
  deposit(world, one, "b", "1234567890");
  CHECK(world.broker().totals().mailbox_messages == 1);
  CHECK(world.broker().totals().mailbox_drops == 1);
  CHECK(said(world.run(CheckPending{"c"})).starts_with("overflow"));
}

TEST_CASE("a mailbox that nobody fetches is removed, and so is what it held against the limit") {
  World world({.mailbox_pending_max = 0, .mailbox_idle_expiry = 60s});
  world.run(OpenMailbox{one, "a"});
  world.advance(30s);
  world.run(OpenMailbox{two, "a"});
  deposit(world, one, "a", "x");
  CHECK(said(world.run(CheckPending{"a"})).starts_with("overflow"));
  CHECK(world.advance(30s) == "expired " + to_text(one) + "\n");
  CHECK(said(world.run(CheckPending{"a"})) == "done 0\n");
  world.run(FetchMailbox{two, "a"});
  CHECK(world.advance(59s) == "");
  CHECK(world.advance(1s) == "expired " + to_text(two) + "\n");
  CHECK(world.broker().totals().mailboxes == 0);
}

TEST_CASE("a mailbox that was closed is gone, and is not reported as expired") {
  World world;
  world.run(OpenMailbox{one, "a"});
  deposit(world, one, "a", "x");
  CHECK(said(world.run(CloseMailbox{one})) == "done 0\n");
  CHECK(said(world.run(CloseMailbox{one})).starts_with("mailbox_not_found"));
  CHECK(deposit(world, one, "a", "x") == "");
  CHECK(world.advance(1h) == "");
  CHECK(world.broker().totals().mailbox_messages == 0);
}

TEST_CASE("at the limit of mailboxes another is refused") {
  World world({.mailboxes_max = 1});
  world.run(OpenMailbox{one, "a"});
  CHECK(said(world.run(OpenMailbox{two, "a"})).starts_with("limit_reached"));
}
