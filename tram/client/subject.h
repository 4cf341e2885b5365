// What may be published to and subscribed to, judged before anything is sent: a server's
// -ERR comes later, or never, and does not say which call it means.
#pragma once

#include "tram/base/bytes.h"
#include "tram/base/result.h"

namespace tram::client {

// Errors: invalid_subject; wildcard_in_publish, if a whole word is * or >.
base::Result<> check_publish_subject(base::BytesView subject);
// Errors: invalid_subject, also if > is not the last word.
base::Result<> check_subscribe_subject(base::BytesView subject);
// Errors: invalid_subject: a group is one word of any bytes but spaces and control characters.
base::Result<> check_group(base::BytesView group);
// A name under which a queue can be asked for over NATS: as a subject, without wildcards,
// and at most 200 bytes. Errors: invalid_queue_name.
base::Result<> check_queue_name(base::BytesView name);

}  // namespace tram::client
