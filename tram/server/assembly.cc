#include "tram/server/assembly.h"

#include <algorithm>
#include <fmt/core.h>
#include <latch>
#include <pthread.h>
#include <thread>

#include "tram/server/door_set.h"
#include "tram/server/open_files.h"

namespace tram::server {

namespace {

broker::Limits broker_limits(const Options& options) {
  broker::Limits limits;
  limits.queues_max = static_cast<uint32_t>(options.queues_max);
  limits.waiting_takers_max = static_cast<uint32_t>(options.waiting_takers_max);
  limits.queue_idle_expiry = options.queue_idle_expiry;
  limits.stored_bytes_max = options.stored_bytes_max;
  limits.mailbox_pending_max = options.mailbox_pending_max;
  limits.mailbox_bytes_max = options.mailbox_bytes_max;
  limits.mailboxes_max = static_cast<uint32_t>(options.mailboxes_max);
  limits.mailbox_idle_expiry = options.mailbox_idle_expiry;
  return limits;
}

std::string_view what_to_do(base::Errc code) {
  switch (code) {
    case base::Errc::address_in_use:
      return "stop that program, or give this door another port: 0 for any free one, or off";
    case base::Errc::permission_denied:
      return "ports below 1024 are for root: give this door another one";
    case base::Errc::invalid_argument:
      return "see --host";
    default:
      return "see --host: it must be an address of this machine";
  }
}

}  // namespace

size_t loops_for(uint64_t threads, unsigned processors) {
  if (threads > 0) return static_cast<size_t>(threads);
  return std::clamp<size_t>(processors / 2, 1, engines::embedded::loops_max);
}

Assembly::Assembly(const LoadedOptions& loaded, const base::Clock& clock, base::LogSink& log,
                   std::string version)
    : options_(loaded.options),
      clock_(clock),
      log_(log),
      beuss_port_given_(loaded.given("beuss-port")) {
  metrics_.version = std::move(version);
  metrics_.started_nanoseconds = clock.wall_nanoseconds();
  size_t count = loops_for(options_.threads, std::thread::hardware_concurrency());
  std::vector<net::Loop*> loops;
  for (size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<net::Loop>(clock_));
    loops.push_back(loops_.back().get());
  }
  uint64_t open_files = raise_open_files_limit();
  uint64_t fit = connections_that_fit(open_files, count);
  connections_max_ = options_.connections_max == 0 ? fit : options_.connections_max;
  if (connections_max_ > fit)
    remarks_.push_back(fmt::format(
        "connections-max {} cannot be reached: the limit of {} open files leaves room for {}; "
        "raise it (ulimit -n, LimitNOFILE)",
        connections_max_, open_files, fit));
  engine_ = std::make_unique<engines::embedded::EmbeddedEngine>(
      loops, broker_limits(options_), std::min<size_t>(size_t{2} << 20, options_.pending_max / 4));
  metrics_.engine = engine_.get();
  doors_ = std::make_unique<DoorSet>(options_, loops, *engine_, metrics_, log_);
}

Assembly::~Assembly() {
  if (!threads_.empty()) stop();
}

base::Result<> Assembly::open() {
  Port beuss_port = options_.beuss_port;
  bool locked = !options_.user.empty() || !options_.token.empty();
  if (locked && beuss_port.open && !beuss_port_given_) {
    beuss_port.open = false;
    remarks_.push_back(
        "the beuss door stays closed: its protocol has no password; give "
        "--beuss-port to open it all the same");
  }
  auto opened = open_entrance("nats", options_.nats_port);
  if (opened) opened = open_entrance("http", options_.http_port);
  if (opened) opened = open_entrance("metrics", options_.metrics_port);
  if (opened) opened = open_entrance("beuss", beuss_port);
  if (!opened) return opened;

  if (auto nats = entrances_.find("nats"); nats != entrances_.end())
    doors_->make_nats(nats->second->port());
  if (entrances_.contains("http")) doors_->make_http();
  if (entrances_.contains("metrics")) doors_->make_metrics();
  if (entrances_.contains("beuss")) doors_->make_beuss();

  limit_ =
      std::make_unique<ConnectionLimit>(*loops_.front(), log_, connections_max_, doors_->all());
  metrics_.connections_refused = &limit_->refused();
  return {};
}

base::Result<> Assembly::open_entrance(std::string_view name, Port port) {
  if (!port.open) return {};
  auto entrance = Entrance::open(*loops_.front(), log_, options_.host, port.number);
  if (!entrance)
    return base::failure(
        entrance.error().code,
        fmt::format("the {} door cannot open {} port {}: {}: {} (--{}-port)", name, options_.host,
                    port.number, entrance.error().text(), what_to_do(entrance.error().code), name));
  entrances_[std::string(name)] = std::move(*entrance);
  return {};
}

std::vector<OpenDoor> Assembly::doors() const {
  std::vector<OpenDoor> open;
  for (auto& [name, entrance] : entrances_) open.push_back({name, entrance->address()});
  return open;
}

void Assembly::start() {
  std::vector<net::Loop*> loops;
  for (auto& loop : loops_) loops.push_back(loop.get());
  net::ConnectionLimits limits{.pending_max = options_.pending_max,
                               .write_stall_max = options_.write_stall_max};
  for (auto& [name, entrance] : entrances_)
    entrance->start(loops, doors_->of(name), *limit_, limits);
  for (size_t i = 0; i < loops_.size(); ++i) {
    threads_.emplace_back([loop = loops_[i].get()] { loop->run(); });
    ::pthread_setname_np(threads_.back().native_handle(), fmt::format("tram-loop-{}", i).c_str());
  }
}

void Assembly::on_every_loop(const std::function<void(size_t loop)>& task) {
  std::latch done(static_cast<std::ptrdiff_t>(loops_.size()));
  for (size_t i = 0; i < loops_.size(); ++i)
    loops_[i]->post([&, i] {
      task(i);
      done.count_down();
    });
  done.wait();
}

void Assembly::stop_accepting() {
  on_every_loop([&](size_t loop) {
    if (loop != 0) return;
    for (auto& [name, entrance] : entrances_) entrance->stop();
  });
  doors_->stop_accepting();
  // Behind everything that was handed to the loops so far: sockets, and what was accepted for
  // later.
  on_every_loop([&](size_t loop) {
    base::IntrusiveList<net::Connection>& connections = loops_[loop]->connections();
    for (net::Connection* connection = connections.first(); connection;
         connection = connections.next(*connection))
      if (!connection->ending()) connection->session().on_stop();
  });
}

uint64_t Assembly::connections_open() const {
  uint64_t open = 0;
  for (const protocols::Door* door : doors_->all()) open += door->counters().connections.value();
  return open;
}

uint64_t Assembly::stop() {
  uint64_t cut = connections_open();
  on_every_loop([&](size_t loop) {
    base::IntrusiveList<net::Connection>& connections = loops_[loop]->connections();
    for (net::Connection* connection = connections.first(); connection;
         connection = connections.next(*connection))
      connection->abort(net::CloseReason::stopping);
  });
  // Connections are gone at the end of a turn, once the kernel has let go of them.
  bool gone = false;
  while (!gone) {
    std::atomic<size_t> empty = 0;
    on_every_loop([&](size_t loop) {
      if (loops_[loop]->connections().empty()) ++empty;
    });
    gone = empty == loops_.size();
  }
  for (auto& loop : loops_) loop->stop();
  threads_.clear();
  return cut;
}

uint64_t Assembly::messages_stored() const {
  uint64_t stored = 0;
  for (size_t i = 0; i < engine_->size(); ++i) {
    const auto& counters = engine_->on_loop(i).shard_counters();
    stored += counters.ready.value() + counters.leased.value();
  }
  return stored;
}

}  // namespace tram::server
