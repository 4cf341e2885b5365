// Subjects: tokens joined by dots, such as orders.eu.paid; and patterns over them.
//
// Case-sensitive bytes (UTF-8 is welcome, nothing is decoded). No space, tab, CR, LF or NUL, no
// empty token. In a pattern the token * stands for exactly one token and a final > for one or
// more; inside a longer token both are plain characters (a*b matches only itself).
#pragma once

#include "tram/base/bytes.h"

namespace tram::broker {

using base::Bytes;
using base::BytesView;

// May a message be published to it? Wildcard tokens are refused.
bool valid_subject(BytesView subject);
// May it be subscribed to?
bool valid_pattern(BytesView pattern);
// Only the rules for tokens: neither empty nor with forbidden bytes. Wildcards pass.
bool valid_tokens(BytesView text);
// Does it hold a wildcard token?
bool has_wildcard(BytesView pattern);
// Does a message published to `subject` go to a subscription for `pattern`? Both must be valid.
bool matches(BytesView pattern, BytesView subject);

// Queue names: 1 to 200 bytes, no space, no control character, and no wildcard token.
bool valid_queue_name(BytesView name);

}  // namespace tram::broker
