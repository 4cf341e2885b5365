#include "tram/protocols/http/error_status.h"

namespace tram::protocols::http {

// No default: a new code does not compile until it has a status.
int status_of(base::Errc code) {
  using enum base::Errc;
  switch (code) {
    case invalid_subject:
    case wildcard_in_publish:
    case invalid_queue_name:
    case invalid_header:
    case invalid_json:
    case invalid_argument:
    case protocol_error:
      return 400;
    case unauthorized:
      return 401;
    case unknown_request:
    case queue_not_found:
    case message_not_found:
    case mailbox_not_found:
      return 404;
    case method_not_allowed:
      return 405;
    case lease_ended:
      return 409;
    case message_too_large:
      return 413;
    case unsupported_media:
      return 415;
    case overflow:
    case overloaded:
    case limit_reached:
      return 429;
    case request_too_large:
      return 431;
    case address_in_use:
    case permission_denied:
    case unreachable:
    case tls_failed:
    case io_error:
      return 500;
    case no_responders:
    case shutting_down:
    case connection_lost:
    case cancelled:
      return 503;
    case timed_out:
      return 504;
  }
  return 500;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace tram::protocols::http
