#include "tram/net/peer/dialer.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <vector>

namespace tram::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using Endpoint = asio::generic::stream_protocol::endpoint;

// Kept alive by what waits in Asio, which may come after its Dialer has gone.
struct Dialer::Io : std::enable_shared_from_this<Io> {
  Io(Loop& the_loop, SocketAddress the_address, OnDialled callback)
      : loop(the_loop),
        address(std::move(the_address)),
        resolver(the_loop.context()),
        socket(the_loop.context()),
        deadline([this] {
          end(base::failure(base::Errc::timed_out, "no connection to " + address.text()));
        }),
        on_dialled(std::move(callback)) {}

  void begin(Duration dial_max) {
    loop.start(deadline, dial_max);
    boost::system::error_code error;
    if (address.is_unix()) {
      endpoints.emplace_back(asio::local::stream_protocol::endpoint(address.path));
    } else if (auto ip = asio::ip::make_address(address.host, error); !error) {
      endpoints.emplace_back(tcp::endpoint(ip, address.port));
    } else {
      resolver.async_resolve(address.host, std::to_string(address.port),
                             tcp::resolver::numeric_service,
                             [self = shared_from_this()](const boost::system::error_code& failed,
                                                         const tcp::resolver::results_type& found) {
                               if (failed) self->last_error = failed;
                               for (const auto& entry : found)
                                 self->endpoints.emplace_back(entry.endpoint());
                               self->try_next();
                             });
      return;
    }
    // Later, as promised.
    asio::post(loop.context(), [self = shared_from_this()] { self->try_next(); });
  }

  void try_next() {
    if (!on_dialled) return;
    if (next == endpoints.size()) {
      std::string why = address.text();
      if (last_error) why += ": " + last_error.message();
      end(base::failure(base::Errc::unreachable, std::move(why)));
      return;
    }
    const Endpoint& endpoint = endpoints[next++];
    boost::system::error_code error;
    if (socket.is_open()) socket.close(error);
    socket.open(endpoint.protocol(), error);
    if (error) {
      last_error = error;
      try_next();
      return;
    }
    socket.async_connect(endpoint,
                         [self = shared_from_this()](const boost::system::error_code& failed) {
                           self->on_connected(failed);
                         });
  }

  void on_connected(const boost::system::error_code& failed) {
    if (!on_dialled) return;
    if (failed) {
      last_error = failed;
      try_next();
      return;
    }
    boost::system::error_code error;
    // A port of this machine that nobody listens on may be given to the one who calls it.
    if (!address.is_unix() && socket.local_endpoint(error) == socket.remote_endpoint(error)) {
      last_error = asio::error::connection_refused;
      try_next();
      return;
    }
    int connected = socket.release(error);
    if (error)
      end(base::failure(base::Errc::io_error, error.message()));
    else
      end(connected);
  }

  void end(base::Result<int> result) {
    OnDialled told = give_up();
    if (told) told(std::move(result));
  }

  OnDialled give_up() {
    loop.timers().stop(deadline);
    resolver.cancel();
    boost::system::error_code ignored;
    if (socket.is_open()) socket.close(ignored);
    return std::exchange(on_dialled, nullptr);
  }

  Loop& loop;
  SocketAddress address;
  tcp::resolver resolver;
  asio::generic::stream_protocol::socket socket;
  Timer deadline;
  OnDialled on_dialled;
  std::vector<Endpoint> endpoints;
  size_t next = 0;
  boost::system::error_code last_error;
};

Dialer::Dialer(Loop& loop, const SocketAddress& address, Duration dial_max, OnDialled on_dialled)
    : io_(std::make_shared<Io>(loop, address, std::move(on_dialled))) {
  io_->begin(dial_max);
}

Dialer::~Dialer() { io_->give_up(); }

}  // namespace tram::net
