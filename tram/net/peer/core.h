// The loop's side of a Peer: its connections, the addresses it sends to, and how it ends.
//
// Belongs to the loop, except what is said to be for any thread.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tram/base/counter.h"
#include "tram/base/random.h"
#include "tram/net/listener.h"
#include "tram/net/peer/inbox.h"
#include "tram/net/peer/lane.h"
#include "tram/net/peer/options.h"
#include "tram/net/peer/send_queue.h"
#include "tram/net/peer/wire.h"
#include "tram/net/readiness.h"
#include "tram/net/socket_address.h"
#include "tram/net/tls/context.h"

namespace tram::net {

// An address that is sent to.
struct Destination {
  Destination(std::string the_name, SocketAddress the_address, const SendQueue::Limits& limits)
      : name(std::move(the_name)), address(std::move(the_address)), queue(limits) {}
  const std::string name;  // As it was said.
  const SocketAddress address;
  SendQueue queue;
  // It dialled us: nobody listens there, so it is answered on its connection, and not dialled.
  bool only_answered = false;                // The loop's.
  std::vector<std::unique_ptr<Lane>> lanes;  // The loop's.
};

// What PeerStats are made of; the loop writes them.
struct PeerCounters {
  base::Counter connections, accepted, refused, dialled, dials_failed, messages_sent, bytes_sent,
      messages_lost, messages_received, bytes_received, faults, pauses;
};

class PeerCore final : public Watched, public TurnEnd {
 public:
  PeerCore(Loop& loop, PeerOptions options);
  // Everything is told, and the connections are closed at once.
  ~PeerCore();

  // Errors: as Listener's and TlsContext's, and invalid_argument for an address.
  base::Result<> listen();
  const std::vector<std::string>& addresses() const { return addresses_; }

  // --- Any thread.
  // No other core of this program ever has it; never 0.
  uint64_t number() const { return number_; }
  // The thread that runs the loop is this one.
  void runs_here() { loop_thread_ = std::this_thread::get_id(); }
  bool on_loop() const { return std::this_thread::get_id() == loop_thread_.load(); }
  // Errors: invalid_argument; limit_reached; cancelled, once it is closing.
  base::Result<std::shared_ptr<Destination>> destination(BytesView name);
  // Something was staged there.
  void tell(std::shared_ptr<Destination> destination);
  Inbox& inbox() { return inbox_; }
  const PeerOptions& options() const { return options_; }
  const PeerCounters& numbers() const { return counters_; }
  uint64_t remembered();
  // For connections from now on. Errors: as TlsContext's; invalid_argument if there was no TLS.
  base::Result<> renew_tls(const TlsOptions& options);

  // --- The loop.
  // Refuses new messages, writes what waits for up to close_max, then tells the rest, and closes;
  // `on_closed` is called at the end.
  void close(std::move_only_function<void()> on_closed);
  // The same without writing or waiting.
  void close_now();
  bool closing() const { return closing_; }
  bool closed() const { return closed_; }

  Loop& loop() { return loop_; }
  base::Random& random() { return random_; }
  PeerCounters& counters() { return counters_; }

  // --- For wires.
  bool has_callback() const { return static_cast<bool>(options_.on_datagram); }
  void call_back(const Datagram& datagram) { options_.on_datagram(datagram); }
  // To the callback or the inbox.
  void show(Datagram datagram);
  std::vector<Datagram>& gathered() { return gathered_; }
  base::IntrusiveList<Wire, PausedWire>& paused_wires() { return paused_; }
  void forget(Wire& wire);
  void on_wire_gone();

  // --- For lanes.
  // The open connection that was accepted from there, or nullptr.
  Wire* accepted(const std::string& from);
  bool may_dial() const;
  void count_dialling(int change) { dialling_ += static_cast<size_t>(change); }  // May wrap.
  Wire& adopt_dialled(int socket, const Destination& destination);
  void tell_loss(BytesView address, uint64_t messages, const base::Error& why);
  void note_settled();
  void retire(Destination& destination);

 private:
  // So that a name is looked up without being copied.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(BytesView name) const { return std::hash<BytesView>()(name); }
  };
  void on_ready(Ready ready) override;
  void on_turn_end() override;
  void wake();
  void look_at_told();
  void tell_closed(Destination& destination);
  void on_accept(int socket, std::string from);
  base::Result<std::shared_ptr<const TlsContext>> load_tls(const TlsOptions& options) const;
  std::shared_ptr<const TlsContext> tls();
  Wire& adopt(int socket, std::string from, const Destination* dialled);
  std::vector<std::shared_ptr<Destination>> all_destinations();
  bool drained();
  void on_close_timer();
  void finish();
  void abort_all();
  void end_sending();

  const uint64_t number_;
  Loop& loop_;
  PeerOptions options_;
  Inbox inbox_;
  std::shared_ptr<BlockPool> blocks_ = std::make_shared<BlockPool>();
  PeerCounters counters_;
  base::Random random_;
  std::atomic<std::thread::id> loop_thread_;
  int wake_up_ = -1;  // An eventfd.
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::string> addresses_;
  std::vector<std::string> socket_files_;

  base::IntrusiveList<Wire, OpenWire> wires_;
  base::IntrusiveList<Wire, PausedWire> paused_;
  boost::unordered_flat_map<std::string, Wire*> accepted_;
  std::vector<Datagram> gathered_;  // Of the read that is going on.
  size_t open_ = 0;
  size_t dialling_ = 0;
  uint64_t unnamed_ = 0;

  Timer close_timer_;
  std::move_only_function<void()> on_closed_;
  bool finishing_ = false;
  std::atomic<bool> closing_ = false;
  bool closed_ = false;

  std::mutex mutex_;  // For what follows.
  std::shared_ptr<const TlsContext> tls_;
  boost::unordered_flat_map<std::string, std::shared_ptr<Destination>, NameHash, std::equal_to<>>
      destinations_;
  std::vector<std::shared_ptr<Destination>> told_;
  bool room_told_ = false;
  bool woken_ = false;
  std::vector<std::shared_ptr<Destination>> looked_at_;  // The loop's: memory for the next look.
};

}  // namespace tram::net
