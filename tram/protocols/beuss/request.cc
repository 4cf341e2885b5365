#include "tram/protocols/beuss/request.h"

#include "tram/broker/subject.h"

namespace tram::protocols::beuss {

namespace {

BytesView trimmed(BytesView name) {
  constexpr BytesView spaces = " \t\n\v\f\r";
  size_t first = name.find_first_not_of(spaces);
  if (first == BytesView::npos) return {};
  return name.substr(first, name.find_last_not_of(spaces) - first + 1);
}

bool begins(BytesView word, BytesView message) {
  return message.size() < word.size() && word.starts_with(message);
}

Request read_mode(BytesView message) {
  if (message == "PUT") return {.kind = Request::Kind::set_mode, .mode = Mode::put};
  if (message == "GET") return {.kind = Request::Kind::set_mode, .mode = Mode::get};
  return {.kind = Request::Kind::hang_up};
}

Request read_put(BytesView message) {
  if (message.size() <= name_size) return {.kind = Request::Kind::refuse};
  BytesView queue = trimmed(message.substr(0, name_size));
  if (!broker::valid_queue_name(queue)) return {.kind = Request::Kind::refuse};
  return {.kind = Request::Kind::put, .queue = queue, .body = message.substr(name_size)};
}

Request read_get(BytesView message) {
  if (!broker::valid_queue_name(message)) return {.kind = Request::Kind::refuse};
  return {.kind = Request::Kind::get, .queue = message};
}

}  // namespace

Request read_request(Mode mode, BytesView message) {
  if (message == "QUIT") return {.kind = Request::Kind::quit};
  switch (mode) {
    case Mode::unset:
      return read_mode(message);
    case Mode::put:
      return read_put(message);
    case Mode::get:
      return read_get(message);
  }
  return {};
}

bool may_go_on(Mode mode, BytesView message) {
  if (message == "QUIT") return false;
  if (message.size() >= packet_size_min || begins("QUIT", message)) return true;
  switch (mode) {
    case Mode::unset:
      return begins("PUT", message) || begins("GET", message);
    case Mode::put:
      return message.size() <= name_size;
    case Mode::get:
      return false;
  }
  return false;
}

}  // namespace tram::protocols::beuss
