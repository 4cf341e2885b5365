#include "tram/protocols/http/random_id.h"

#include <sys/random.h>

#include "tram/base/assert.h"

namespace tram::protocols::http {

broker::MailboxId draw_random_id() {
  // So few bytes come whole and cannot be interrupted, once the kernel has been seeded; before
  // that, early in a machine's start, this waits.
  uint64_t bits[2];
  ssize_t size = ::getrandom(bits, sizeof bits, 0);
  TRAM_ASSERT(size == sizeof bits, size);
  return broker::mailbox_id_from_random(bits[0], bits[1]);
}

}  // namespace tram::protocols::http
