// A message from a subscription, as sub and request print it.
#pragma once

#include <string>

#include "tram/client/message.h"

namespace tram::cli {

struct MessageStyle {
  bool json = false;
  bool raw = false;   // the payload and nothing else
  bool null = false;  // a zero byte after each, in place of a line break
  bool headers = false;
  bool timestamps = false;
  bool subjects = false;  // before each payload
};

// Appends the message to `out`. `wall_nanoseconds` is when it came.
void append_message(std::string& out, const client::Message& message, const MessageStyle& style,
                    int64_t wall_nanoseconds);

// 2026-11-02T09:00:00.000000Z
std::string show_time(int64_t wall_nanoseconds);

}  // namespace tram::cli
