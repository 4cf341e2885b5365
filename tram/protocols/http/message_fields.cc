#include "tram/protocols/http/message_fields.h"

#include "tram/protocols/api/header_block.h"
#include "tram/protocols/api/json_text.h"

namespace tram::protocols::http {

namespace {

constexpr BytesView prefix = "Tram-Header-";
// Clients and proxies refuse answers whose headers are much longer.
constexpr size_t fields_size_max = 8 << 10;

bool fits_a_field(BytesView value) {
  for (unsigned char c : value)
    if ((c < ' ' && c != '\t') || c == 0x7F) return false;
  return true;
}

}  // namespace

base::Result<std::string> message_headers_of(const RequestHead& head) {
  std::string block;
  for (FieldLines lines(head.fields); lines.next();) {
    if (!starts_with_token(lines.name(), prefix)) continue;
    base::Result<> added =
        api::append_header(block, lines.name().substr(prefix.size()), lines.value());
    if (!added) return std::unexpected(added.error());
  }
  return block;
}

void append_message_fields(std::string& fields, BytesView headers) {
  uint64_t omitted = 0;
  size_t begin = fields.size();
  for (api::HeaderFields each(headers); each.next();) {
    size_t size = prefix.size() + each.name().size() + each.value().size() + 4;
    if (!is_token(each.name()) || !fits_a_field(each.value()) ||
        fields.size() - begin + size > fields_size_max) {
      ++omitted;
      continue;
    }
    fields.append(prefix).append(each.name()).append(": ").append(each.value()).append("\r\n");
  }
  if (omitted > 0) append_field(fields, "Tram-Headers-Omitted", omitted);
}

void append_field(std::string& fields, BytesView name, uint64_t value) {
  fields.append(name).append(": ");
  api::append_json_number(fields, value);
  fields += "\r\n";
}

void append_field(std::string& fields, BytesView name, BytesView value) {
  constexpr BytesView hex = "0123456789ABCDEF";
  fields.append(name).append(": ");
  for (unsigned char c : value) {
    if (c > ' ' && c < 0x7F && c != '%') {
      fields += static_cast<char>(c);
      continue;
    }
    fields += '%';
    fields += hex[c >> 4];
    fields += hex[c & 15];
  }
  fields += "\r\n";
}

}  // namespace tram::protocols::http
