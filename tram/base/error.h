// Every mistake that a user or the world can make, with one code and one sentence.
//
// The list is written once, below; docs/errors.md and each door's mapping follow it.
// Doors map codes in one switch without a default, so a new code does not compile
// until every door has an answer to it.
#pragma once

#include <string>
#include <string_view>

namespace tram::base {

// TRAM_ERRORS(X): X(code, sentence). The code is what machines match, on every door.
#define TRAM_ERRORS(X)                                                                         \
  X(invalid_subject, "a subject is words joined by dots: no spaces, no empty words")           \
  X(wildcard_in_publish, "a message is published to one subject: * and > are for subscribing") \
  X(invalid_queue_name, "a queue name is 1 to 200 bytes: no spaces, no control characters")    \
  X(invalid_header, "headers are lines of 'Name: value' that start with NATS/1.0")             \
  X(invalid_json, "the body is not the JSON that this request takes")                          \
  X(invalid_argument, "an argument has a value that it cannot have")                           \
  X(unknown_request, "there is no such request")                                               \
  X(method_not_allowed, "this address does not take that method")                              \
  X(unsupported_media, "this request takes application/json")                                  \
  X(protocol_error, "the bytes do not follow the protocol of this port")                       \
  X(message_too_large, "the message is larger than the broker takes")                          \
  X(request_too_large, "the request's line or headers are longer than the broker takes")       \
  X(no_responders, "nobody is listening to that subject")                                      \
  X(queue_not_found, "there is no queue of that name")                                         \
  X(message_not_found, "there is no message of that id in that queue")                         \
  X(lease_ended, "the lease has ended: the message went back to its queue or to someone else") \
  X(mailbox_not_found, "there is no mailbox of that id on that subject")                       \
  X(overflow, "too many messages wait on that subject: fetch some first")                      \
  X(overloaded, "too much waits already: try again later")                                     \
  X(limit_reached, "a limit of the broker has been reached")                                   \
  X(unauthorized, "a user and password, or a token, is needed and was missing or wrong")       \
  X(timed_out, "the time given for this has passed")                                           \
  X(shutting_down, "the broker is stopping: connect again")                                    \
  X(connection_lost, "the connection was lost")                                                \
  X(address_in_use, "the port is taken by another program")                                    \
  X(permission_denied, "the operating system does not allow it")                               \
  X(unreachable, "nobody answers there")                                                       \
  X(tls_failed, "no connection could be made safe with TLS")                                   \
  X(io_error, "the operating system reported an error")                                        \
  X(cancelled, "it was stopped before it was done")

enum class Errc {
#define TRAM_ERROR_CODE(code, sentence) code,
  TRAM_ERRORS(TRAM_ERROR_CODE)
#undef TRAM_ERROR_CODE
};

// The code as users see it, such as "invalid_subject".
std::string_view name_of(Errc code);
// The sentence as users see it.
std::string_view sentence_of(Errc code);

// A code, and what in particular was wrong, for people. `detail` may be empty.
struct Error {
  Errc code;
  std::string detail;

  // "sentence" or "sentence (detail)".
  std::string text() const;
  bool operator==(const Error&) const = default;
};

}  // namespace tram::base
