#include "tram/net/listener.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include "tram/net/socket_address.h"

namespace tram::net {

using boost::asio::ip::tcp;
using Protocol = boost::asio::generic::stream_protocol;
using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;
using Unix = boost::asio::local::stream_protocol;

namespace {

constexpr Duration pause_when_refused = std::chrono::milliseconds(100);
constexpr Duration log_interval = std::chrono::seconds(10);
constexpr int accepts_per_turn_max = 64;

base::Errc code_of(const boost::system::error_code& error) {
  if (error == boost::asio::error::address_in_use) return base::Errc::address_in_use;
  if (error == boost::asio::error::access_denied) return base::Errc::permission_denied;
  return base::Errc::io_error;
}

tcp::endpoint tcp_of(const Protocol::endpoint& endpoint) {
  tcp::endpoint copy;
  copy.resize(endpoint.size());
  std::memcpy(copy.data(), endpoint.data(), endpoint.size());
  return copy;
}

std::string text_of(const Protocol::endpoint& endpoint) {
  return net::text_of(*endpoint.data(), endpoint.size());
}

void listen_on(Acceptor& acceptor, const Protocol::endpoint& endpoint,
               boost::system::error_code& error) {
  if (acceptor.is_open()) acceptor.close(error);
  error = {};
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
}

}  // namespace

struct Listener::Io {
  Io(Loop& the_loop, base::LogSink& the_log, OnAccept callback)
      : loop(the_loop),
        log(the_log),
        acceptor(the_loop.context()),
        on_accept(std::move(callback)),
        again([this] { wait(); }) {}

  void wait() {
    acceptor.async_wait(Acceptor::wait_read, [this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  void accept() {
    for (int i = 0; i < accepts_per_turn_max; ++i) {
      Protocol::endpoint peer;
      boost::system::error_code error;
      auto socket = acceptor.accept(peer, error);
      if (!error) {
        on_accept(socket.release(), text_of(peer));
      } else if (error == boost::asio::error::would_block) {
        break;
      } else if (error == boost::asio::error::no_descriptors || error.value() == ENFILE ||
                 error.value() == ENOMEM || error.value() == ENOBUFS) {
        complain(error.message());
        loop.start(again, pause_when_refused);
        return;
      }
      // Anything else is about that one connection, which is gone already.
    }
    wait();
  }

  void complain(const std::string& why) {
    if (complained && loop.now() < complained_at + log_interval) return;
    complained = true;
    complained_at = loop.now();
    log.write(base::LogLevel::error, base::LogLine("accept_failed")
                                         .with("address", text_of(acceptor.local_endpoint()))
                                         .with("reason", why)
                                         .with("retry_ms", pause_when_refused.milliseconds()));
  }

  Loop& loop;
  base::LogSink& log;
  Acceptor acceptor;
  OnAccept on_accept;
  Timer again;
  bool complained = false;
  Time complained_at;
};

base::Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, base::LogSink& log,
                                                       const std::string& host, uint16_t port,
                                                       OnAccept on_accept) {
  boost::system::error_code error;
  tcp::resolver resolver(loop.context());
  auto found = resolver.resolve(host, std::to_string(port),
                                tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty())
    return base::failure(base::Errc::invalid_argument, "no address is known for host " + host);
  auto io = std::make_unique<Io>(loop, log, std::move(on_accept));
  for (const auto& entry : found) {
    listen_on(io->acceptor, entry.endpoint(), error);
    if (!error) return std::unique_ptr<Listener>(new Listener(std::move(io)));
  }
  return base::failure(code_of(error), host + ":" + std::to_string(port));
}

base::Result<std::unique_ptr<Listener>> Listener::open_unix(Loop& loop, base::LogSink& log,
                                                            const std::string& path,
                                                            OnAccept on_accept) {
  auto io = std::make_unique<Io>(loop, log, std::move(on_accept));
  const Unix::endpoint endpoint(path);
  boost::system::error_code error;
  listen_on(io->acceptor, endpoint, error);
  if (error == boost::asio::error::address_in_use) {
    // A file that a program left behind, or one that a program still answers at?
    Unix::socket caller(loop.context());
    boost::system::error_code answer;
    caller.connect(endpoint, answer);
    if (answer == boost::asio::error::connection_refused) {
      ::unlink(path.c_str());
      listen_on(io->acceptor, endpoint, error);
    }
  }
  if (!error) return std::unique_ptr<Listener>(new Listener(std::move(io)));
  return base::failure(code_of(error), "unix:" + path + ": " + error.message());
}

Listener::Listener(std::unique_ptr<Io> io) : io_(std::move(io)) {}

Listener::~Listener() { stop(); }

void Listener::start() { io_->wait(); }

void Listener::stop() {
  boost::system::error_code ignored;
  io_->acceptor.close(ignored);
  io_->loop.timers().stop(io_->again);
}

uint16_t Listener::port() const {
  Protocol::endpoint local = io_->acceptor.local_endpoint();
  return local.protocol().family() == AF_UNIX ? 0 : tcp_of(local).port();
}

std::string Listener::address() const {
  Protocol::endpoint local = io_->acceptor.local_endpoint();
  return local.protocol().family() == AF_UNIX ? "" : tcp_of(local).address().to_string();
}

std::string Listener::text() const { return text_of(io_->acceptor.local_endpoint()); }

}  // namespace tram::net
