#include "tram/cli/message_text.h"

#include <ctime>
#include <fmt/core.h>

#include "tram/cli/json_text.h"

namespace tram::cli {

using base::BytesView;

namespace {

void append_json(std::string& out, const client::Message& message, const MessageStyle& style,
                 int64_t wall_nanoseconds) {
  out += '{';
  if (style.timestamps) out += fmt::format("\"time\":\"{}\",", show_time(wall_nanoseconds));
  out += json_bytes("subject", message.subject);
  if (!message.reply.empty()) out += "," + json_bytes("reply", message.reply);
  if (!message.headers.empty()) out += ",\"headers\":" + json_headers(message.headers);
  if (int status = message.headers.status(); status != 0) {
    out += fmt::format(",\"status\":{},{}", status,
                       json_bytes("description", message.headers.description()));
  }
  out += "," + json_bytes("payload", message.payload) + "}\n";
}

}  // namespace

std::string show_time(int64_t wall_nanoseconds) {
  time_t seconds = wall_nanoseconds / 1'000'000'000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_nanoseconds % 1'000'000'000 / 1'000);
}

void append_message(std::string& out, const client::Message& message, const MessageStyle& style,
                    int64_t wall_nanoseconds) {
  if (style.json) return append_json(out, message, style, wall_nanoseconds);
  if (style.timestamps) out += show_time(wall_nanoseconds) + " ";
  if (style.subjects) out.append(message.subject).append(" ");
  if (style.headers) {
    message.headers.for_each([&](BytesView name, BytesView value) {
      out.append(name).append(": ").append(value).append("\n");
    });
  }
  out += message.payload;
  if (style.null) {
    out += '\0';
  } else if (!style.raw) {
    out += '\n';
  }
}

}  // namespace tram::cli
