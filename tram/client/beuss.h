// A client of the beuss protocol: plain TCP without lengths, one request at a time.
//
// A connection says PUT or GET first and is answered OK. Then, on PUT: a queue's name in 32
// bytes, padded with spaces, and the content, answered OK or KO. On GET: a queue's name,
// answered with the content, EMPTY or KO. QUIT ends it.
//
// A message has no length on the wire: the server takes what arrives together, and an answer
// ends where the sender pauses. So a content that reads EMPTY or KO cannot be told from the
// words, an empty content cannot be told from silence (it is refused here), and content of
// several segments ends at a pause: this client waits `pause` for more.
#pragma once

#include <optional>
#include <string>

#include "tram/base/clock.h"
#include "tram/base/result.h"
#include "tram/client/socket.h"

namespace tram::client {

struct BeussOptions {
  std::string host = "localhost";
  std::string port = "6552";
  size_t message_bytes_max = 102'400;
  base::Duration timeout = std::chrono::seconds(5);
  base::Duration pause = std::chrono::milliseconds(20);
  StopDescriptor stop;
};

enum class BeussMode { put, get };

class Beuss {
 public:
  // Errors: unreachable, timed_out, cancelled; protocol_error if the answer is not OK.
  static base::Result<Beuss> connect(BeussMode mode, BeussOptions options,
                                     const base::Clock& clock);

  // Only on a PUT connection. Errors: invalid_queue_name (1 to 32 bytes, no spaces at its
  // ends), message_too_large (name and content together over the limit: the server would cut
  // it), invalid_argument for an empty content or one that is QUIT to the server.
  base::Result<> put(std::string_view queue, base::BytesView content);
  // Only on a GET connection. Nothing if the queue is empty.
  base::Result<std::optional<base::Bytes>> get(std::string_view queue);
  // Says QUIT and closes.
  void quit();

  static constexpr size_t name_bytes = 32;

 private:
  Beuss(Socket socket, BeussOptions options, const base::Clock& clock)
      : socket_(std::move(socket)), options_(std::move(options)), clock_(&clock) {}
  base::Result<> send(base::BytesView bytes);
  // What comes until the sender pauses, `most` bytes at most.
  base::Result<base::Bytes> receive(size_t most);
  base::Result<base::Bytes> receive_word();

  Socket socket_;
  BeussOptions options_;
  const base::Clock* clock_;
};

// The bytes of one PUT: the name padded to 32, then the content.
base::Result<base::Bytes> beuss_put_frame(std::string_view queue, base::BytesView content,
                                          size_t message_bytes_max);

}  // namespace tram::client
