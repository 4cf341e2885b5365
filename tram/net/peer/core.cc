#include "tram/net/peer/core.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tram::net {

using base::Errc;
using base::Error;

namespace {

// For a Peer that was given no log.
class NoLog final : public base::LogSink {
 public:
  void write(base::LogLevel, const base::LogLine&) override {}
};
NoLog no_log;  // Has no state.

std::atomic<uint64_t> cores_made = 0;

// When all is told: for counts, and for the others to hang up.
constexpr Duration last_words_max = std::chrono::milliseconds(500);

Error closed_error() { return {Errc::cancelled, "this peer is closed"}; }

}  // namespace

PeerCore::PeerCore(Loop& loop, PeerOptions options)
    : number_(++cores_made),
      loop_(loop),
      options_(std::move(options)),
      inbox_(options_.inbox_max,
             [this] {
               {
                 std::lock_guard lock(mutex_);
                 room_told_ = true;
               }
               wake();
             }),
      random_(options_.seed),
      wake_up_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      close_timer_([this] { on_close_timer(); }) {
  if (wake_up_ < 0 || !loop_.sockets().add(wake_up_, *this))
    throw std::system_error(errno, std::generic_category(), "eventfd");
}

PeerCore::~PeerCore() {
  close_now();
  loop_.forget(*this);
  loop_.sockets().remove(wake_up_, *this);
  ::close(wake_up_);
}

base::Result<> PeerCore::listen() {
  if (options_.tls) {
    auto loaded = load_tls(*options_.tls);
    if (!loaded) return std::unexpected(loaded.error());
    tls_ = std::move(*loaded);
  }
  base::LogSink& log = options_.log ? *options_.log : no_log;
  for (const std::string& text : options_.listen) {
    auto address = SocketAddress::parse(text);
    if (!address) return std::unexpected(address.error());
    auto on_accept = [this](int socket, std::string from) {
      this->on_accept(socket, std::move(from));
    };
    auto listener = address->is_unix()
                        ? Listener::open_unix(loop_, log, address->path, on_accept)
                        : Listener::open(loop_, log, address->host, address->port, on_accept);
    if (!listener) return std::unexpected(listener.error());
    if (address->is_unix()) socket_files_.push_back(address->path);
    addresses_.push_back((*listener)->text());
    listeners_.push_back(std::move(*listener));
  }
  for (auto& listener : listeners_) listener->start();
  return {};
}

base::Result<std::shared_ptr<const TlsContext>> PeerCore::load_tls(
    const TlsOptions& options) const {
  return TlsContext::load(
      options, options_.listen.empty() ? TlsContext::Use::to_dial : TlsContext::Use::to_listen);
}

// --- Any thread.

base::Result<> PeerCore::renew_tls(const TlsOptions& options) {
  if (!options_.tls)
    return base::failure(Errc::invalid_argument, "this peer was opened without TLS");
  auto loaded = load_tls(options);
  if (!loaded) return std::unexpected(loaded.error());
  std::lock_guard lock(mutex_);
  tls_ = std::move(*loaded);
  return {};
}

std::shared_ptr<const TlsContext> PeerCore::tls() {
  if (!options_.tls) return nullptr;
  std::lock_guard lock(mutex_);
  return tls_;
}

base::Result<std::shared_ptr<Destination>> PeerCore::destination(BytesView name) {
  std::lock_guard lock(mutex_);
  if (closing_) return std::unexpected(closed_error());
  if (auto found = destinations_.find(name); found != destinations_.end()) return found->second;
  auto address = SocketAddress::parse(name);
  if (!address) return std::unexpected(address.error());
  if (address->port == 0 && !address->is_unix())
    return base::failure(Errc::invalid_argument, std::string(name) + ": port 0 cannot be sent to");
  if (tls_ && address->is_unix() && tls_->options().server_name.empty())
    return base::failure(Errc::invalid_argument,
                         std::string(name) + ": TLS needs a server_name for a Unix socket");
  if (destinations_.size() >= options_.connections_max)
    return base::failure(Errc::limit_reached, "no more addresses");
  auto made = std::make_shared<Destination>(
      std::string(name), std::move(*address),
      SendQueue::Limits{options_.connections_per_address, options_.waiting_max, options_.spread_min,
                        blocks_});
  destinations_.emplace(made->name, made);
  return made;
}

void PeerCore::tell(std::shared_ptr<Destination> destination) {
  {
    std::lock_guard lock(mutex_);
    told_.push_back(std::move(destination));
  }
  wake();
}

void PeerCore::wake() {
  if (on_loop()) {
    loop_.at_turn_end(*this);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(woken_, true)) return;
  }
  uint64_t one = 1;
  // It fails when the count is full, after 2^64 times.
  [[maybe_unused]] ssize_t written = ::write(wake_up_, &one, sizeof one);
}

uint64_t PeerCore::remembered() {
  std::lock_guard lock(mutex_);
  return destinations_.size();
}

// --- The loop.

// The count is not read: each write is a change, which is all that is waited for, and reading makes
// room in it, which would be one more.
void PeerCore::on_ready(Ready) { look_at_told(); }

void PeerCore::on_turn_end() { look_at_told(); }

void PeerCore::look_at_told() {
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    woken_ = false;
    room = std::exchange(room_told_, false);
    std::swap(told_, looked_at_);
  }
  if (room)
    while (!paused_.empty()) paused_.pop_front().resume();
  // What is told meanwhile waits for the next look.
  std::vector<std::shared_ptr<Destination>> now = std::move(looked_at_);
  for (const std::shared_ptr<Destination>& one : now) {
    if (closed_) {
      tell_closed(*one);
      continue;
    }
    if (one->lanes.empty())
      for (size_t i = 0; i < options_.connections_per_address; ++i)
        one->lanes.push_back(std::make_unique<Lane>(*this, *one, i));
    one->queue.expect_telling();
    for (size_t i = 0; i < one->lanes.size(); ++i) one->lanes[i]->on_staged();
  }
  now.clear();
  looked_at_ = std::move(now);  // Its memory.
}

// Messages that were pushed while it closed.
void PeerCore::tell_closed(Destination& destination) {
  if (destination.lanes.empty())
    for (size_t i = 0; i < options_.connections_per_address; ++i)
      destination.lanes.push_back(std::make_unique<Lane>(*this, destination, i));
  for (auto& lane : destination.lanes) lane->give_up(closed_error());
}

void PeerCore::show(Datagram datagram) {
  if (has_callback()) {
    call_back(datagram);
    return;
  }
  gathered_.push_back(std::move(datagram));
  inbox_.push(gathered_);
}

void PeerCore::on_accept(int socket, std::string from) {
  counters_.accepted.add();
  if (open_ + dialling_ >= options_.connections_max || closing_) {
    counters_.refused.add();
    ::close(socket);
    return;
  }
  // The other end of a Unix socket has no name of its own.
  if (from == "unix:") from = local_address_of(socket) + "#" + std::to_string(++unnamed_);
  adopt(socket, std::move(from), nullptr);
}

Wire& PeerCore::adopt_dialled(int socket, const Destination& destination) {
  return adopt(socket, destination.name, &destination);
}

Wire& PeerCore::adopt(int socket, std::string from, const Destination* dialled) {
  int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  auto ends = std::make_shared<const Ends>(Ends{from, local_address_of(socket)});
  ConnectionLimits limits{.pending_max = SIZE_MAX, .write_stall_max = options_.write_max};
  std::unique_ptr<TlsChannel> channel;
  Duration handshake_max;
  if (auto context = tls()) {
    handshake_max = context->options().handshake_max;
    channel = dialled ? context->dial(socket, loop_.chunks(), dialled->address.host)
                      : context->accept(socket, loop_.chunks());
  }
  Wire* made = nullptr;
  ++open_;
  counters_.connections.set(open_);
  auto make_wire = [&](Connection& connection) {
    auto wire = std::make_unique<Wire>(*this, connection, ends, dialled != nullptr);
    made = wire.get();
    wires_.push_back(*made);
    if (!dialled) accepted_[from] = made;
    return wire;
  };
  Connection::adopt(loop_, socket, from, limits, std::move(channel), handshake_max, make_wire);
  return *made;
}

void PeerCore::forget(Wire& wire) {
  wires_.erase(wire);
  if (static_cast<base::Link<PausedWire>&>(wire).linked()) paused_.erase(wire);
  if (auto found = accepted_.find(wire.ends().from);
      found != accepted_.end() && found->second == &wire)
    accepted_.erase(found);
  --open_;
  counters_.connections.set(open_);
}

void PeerCore::on_wire_gone() {
  if (finishing_ && wires_.empty() && !closed_) end_sending();
}

Wire* PeerCore::accepted(const std::string& from) {
  auto found = accepted_.find(from);
  if (found == accepted_.end() || !found->second->usable()) return nullptr;
  return found->second;
}

bool PeerCore::may_dial() const {
  return open_ + dialling_ < options_.connections_max && !finishing_;
}

void PeerCore::tell_loss(BytesView address, uint64_t messages, const Error& why) {
  if (options_.on_loss) options_.on_loss({.address = address, .messages = messages, .error = why});
}

void PeerCore::retire(Destination& destination) {
  for (const auto& lane : destination.lanes)
    if (!lane->idle()) return;
  std::shared_ptr<Destination> kept;
  {
    std::lock_guard lock(mutex_);
    if (!destination.queue.abandon(false)) return;
    auto found = destinations_.find(destination.name);
    if (found == destinations_.end()) return;
    kept = std::move(found->second);
    destinations_.erase(found);
  }
  // Its lanes are the loop's: they go here, whoever still holds it. One of them is what called.
  loop_.post([kept = std::move(kept)] { kept->lanes.clear(); });
}

// --- Closing.

std::vector<std::shared_ptr<Destination>> PeerCore::all_destinations() {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Destination>> all;
  for (const auto& [name, destination] : destinations_) all.push_back(destination);
  return all;
}

void PeerCore::close(std::move_only_function<void()> on_closed) {
  on_closed_ = std::move(on_closed);
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  for (auto& listener : listeners_) listener->stop();
  for (const std::string& path : socket_files_) ::unlink(path.c_str());
  socket_files_.clear();
  // What was pushed before is still written; what comes now asks for its address again, and hears
  // that it is closed.
  for (const auto& destination : all_destinations()) {
    destination->queue.abandon(true);
    for (auto& lane : destination->lanes)
      if (lane->resting()) lane->give_up(closed_error());
  }
  loop_.start(close_timer_, options_.close_max);
  note_settled();
}

bool PeerCore::drained() {
  for (const auto& destination : all_destinations())
    if (destination->queue.waiting() > 0) return false;
  return true;
}

void PeerCore::note_settled() {
  // Not at once: whoever calls is in the middle of something.
  if (closing_ && !finishing_ && drained()) loop_.start(close_timer_, Duration());
}

void PeerCore::on_close_timer() {
  if (finishing_)
    abort_all();
  else
    finish();
}

void PeerCore::abort_all() {
  while (!wires_.empty()) wires_.front().connection().abort(CloseReason::stopping);
}

void PeerCore::finish() {
  if (std::exchange(finishing_, true)) return;
  for (const auto& destination : all_destinations()) tell_closed(*destination);
  // What is in the outboxes, such as counts, is written; nothing more is read.
  for (Wire* wire = wires_.first(); wire != nullptr;) {
    Wire* next = wires_.next(*wire);  // One that is still shaking hands is gone at once.
    wire->connection().close(CloseReason::stopping);
    wire = next;
  }
  if (closed_) return;  // There was no other.
  // Not for long: some take nothing.
  loop_.start(close_timer_, last_words_max);
  if (wires_.empty()) end_sending();
}

void PeerCore::end_sending() {
  closed_ = true;
  loop_.timers().stop(close_timer_);
  inbox_.close();
  if (on_closed_) std::exchange(on_closed_, nullptr)();
}

void PeerCore::close_now() {
  if (!closing_) close(nullptr);
  finish();
  abort_all();
  if (!closed_) end_sending();
  look_at_told();
  // The lanes go with the loop's thread, whoever still holds an address.
  for (const auto& destination : all_destinations()) destination->lanes.clear();
}

}  // namespace tram::net
