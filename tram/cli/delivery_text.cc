#include "tram/cli/delivery_text.h"

#include <fmt/core.h>

#include "tram/cli/json_text.h"

namespace tram::cli {

std::string delivery_json(const client::Delivery& delivery) {
  // The broker's own headers are fields already.
  client::Headers own;
  client::HeadersView(delivery.headers).for_each([&](base::BytesView name, base::BytesView value) {
    if (!name.starts_with("Tram-")) (void)own.add(name, value);
  });
  base::Bytes block = own.block();
  return fmt::format("{{\"id\":{},\"queue\":{},\"attempt\":{},\"headers\":{},{}}}", delivery.id,
                     json_string(delivery.queue), delivery.attempt,
                     json_headers(client::HeadersView(block)),
                     json_bytes("payload", delivery.payload));
}

}  // namespace tram::cli
