// Introduces the parts to each other: event loops, the engine, a set of doors on each loop, and
// the entrances that lead to them.
//
// Life: made, `open` (nothing runs yet, but ports are taken), `start` (the loops run, each in its
// thread), then the three steps of a stop. Everything here is called by one thread, the one that
// made it, which is none of the loops'.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tram/server/entrance.h"
#include "tram/server/load_options.h"
#include "tram/server/metrics_page.h"
#include "tram/server/ports_file.h"

namespace tram::server {

class DoorSet;

class Assembly {
 public:
  Assembly(const LoadedOptions& loaded, const base::Clock& clock, base::LogSink& log,
           std::string version);
  ~Assembly();

  // Takes the ports. Errors: as the listener says, with the door, the port and what to do.
  base::Result<> open();
  // Those that are open, by name. Between `open` and `stop_accepting`.
  std::vector<OpenDoor> doors() const;
  // Not opened although a port is set, and why: sentences for the log.
  const std::vector<std::string>& remarks() const { return remarks_; }
  size_t loops() const { return loops_.size(); }
  uint64_t connections_max() const { return connections_max_; }

  void start();

  // --- Stopping, in this order.
  // No new connections; what was accepted for later is carried out; every session is asked to
  // finish what it has begun and to close.
  void stop_accepting();
  uint64_t connections_open() const;
  // Cuts off connections that are left, and ends the threads. Returns how many were cut.
  uint64_t stop();
  // Messages that are in queues or with their takers.
  uint64_t messages_stored() const;

 private:
  base::Result<> open_entrance(std::string_view name, Port port);
  // Runs `task` on every loop, and waits until each has.
  void on_every_loop(const std::function<void(size_t loop)>& task);

  const Options options_;
  const base::Clock& clock_;
  base::LogSink& log_;
  const bool beuss_port_given_;
  uint64_t connections_max_ = 0;
  std::vector<std::string> remarks_;
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::unique_ptr<engines::embedded::EmbeddedEngine> engine_;
  MetricsSources metrics_;
  std::unique_ptr<DoorSet> doors_;
  std::unique_ptr<ConnectionLimit> limit_;
  std::map<std::string, std::unique_ptr<Entrance>, std::less<>> entrances_;  // By door.
  std::vector<std::jthread> threads_;
};

// How many loops `threads` (0: auto) means on this machine.
size_t loops_for(uint64_t threads, unsigned processors);

}  // namespace tram::server
