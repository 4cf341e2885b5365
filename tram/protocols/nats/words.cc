#include "tram/protocols/nats/words.h"

#include <fmt/core.h>

#include "tram/protocols/api/json_text.h"

namespace tram::protocols::nats {

namespace {

// What clients switch their features on: everything of core NATS that came with 2.10 is here.
constexpr BytesView nats_version = "2.10.0";

void append_text(std::string& to, BytesView name, BytesView value) {
  to.append(",\"").append(name).append("\":");
  api::append_json_string(to, value);
}

}  // namespace

std::string info_line(const NatsOptions& options, uint64_t client_id, BytesView peer_address,
                      bool last_words) {
  BytesView client_ip = peer_address.substr(0, peer_address.rfind(':'));
  if (client_ip.starts_with('[')) client_ip = client_ip.substr(1, client_ip.size() - 2);
  std::string line = "INFO {\"proto\":1,\"headers\":true,\"go\":\"\"";
  append_text(line, "server_id", options.server_id);
  append_text(line, "server_name", options.server_name);
  append_text(line, "version", nats_version);
  append_text(line, "tram", options.tram_version);
  append_text(line, "host", options.host);
  line += fmt::format(",\"port\":{},\"max_payload\":{},\"client_id\":{}", options.port,
                      options.payload_max, client_id);
  append_text(line, "client_ip", client_ip);
  if (options.access.required()) line += ",\"auth_required\":true";
  if (last_words) line += ",\"ldm\":true";
  line += "}\r\n";
  return line;
}

}  // namespace tram::protocols::nats
