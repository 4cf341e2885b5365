#include "tram/protocols/http/json_lines.h"

#include <fmt/core.h>

#include "tram/broker/subject.h"
#include "tram/protocols/http/exchange.h"

namespace tram::protocols::http {

base::Result<> check_subject(BytesView subject) {
  if (broker::valid_subject(subject)) return {};
  if (broker::valid_pattern(subject)) return base::failure(base::Errc::wildcard_in_publish);
  return base::failure(base::Errc::invalid_subject);
}

base::Result<MessageLine> read_message_object(BytesView json, bool addressed,
                                              const HttpOptions& options) {
  MessageLine line{api::JsonRequest::parse(json), {}, {}, {}};
  if (addressed) {
    line.request.text("subject", line.subject);
    line.request.text("reply_to", line.reply_to);
  }
  line.message.read(line.request);
  if (base::Result<> read = line.request.finish(); !read) return std::unexpected(read.error());
  if (base::Result<> read = line.message.finish(options.message_bytes_max); !read)
    return std::unexpected(read.error());
  if (!addressed) return line;
  if (!line.subject) return base::failure(base::Errc::invalid_argument, "\"subject\" is needed");
  if (base::Result<> valid = check_subject(*line.subject); !valid)
    return std::unexpected(valid.error());
  if (line.reply_to)
    if (base::Result<> valid = check_subject(*line.reply_to); !valid)
      return std::unexpected(valid.error());
  return line;
}

base::Result<std::vector<MessageLine>> read_message_lines(BytesView body, bool addressed,
                                                          const HttpOptions& options) {
  std::vector<MessageLine> lines;
  for (size_t number = 1; !body.empty(); ++number) {
    size_t end = body.find('\n');
    BytesView text = body.substr(0, end);
    body.remove_prefix(end == BytesView::npos ? body.size() : end + 1);
    if (text.find_first_not_of(" \t\r") == BytesView::npos) continue;
    if (lines.size() == options.batch_messages_max)
      return base::failure(base::Errc::invalid_argument,
                           fmt::format("at most {} messages", options.batch_messages_max));
    base::Result<MessageLine> line = read_message_object(text, addressed, options);
    if (!line) {
      base::Error error = line.error();
      error.detail =
          fmt::format("line {}{}{}", number, error.detail.empty() ? "" : ": ", error.detail);
      return std::unexpected(std::move(error));
    }
    lines.push_back(std::move(*line));
  }
  return lines;
}

bool is_json_lines(BytesView content_type) {
  return same_token(media_type(content_type), lines_type);
}

bool takes_json(BytesView content_type) {
  BytesView type = media_type(content_type);
  return type.empty() || same_token(type, json_type) ||
         same_token(type, "application/x-www-form-urlencoded");
}

}  // namespace tram::protocols::http
