// What Peers have done, as Prometheus reads it (its text format, version 0.0.4), for a program that
// answers GET /metrics by its own means:
//
//   page += prometheus_text(peer->stats());
//
// With several Peers in a program, all of them at once, as a page may say each name only once:
//
//   PeerSeries series[] = {{orders->stats(), {{"peer", "orders"}}},
//                          {events->stats(), {{"peer", "events"}}}};
//   page += prometheus_text(series);
//
//   tram_peer_connections                   gauge, open now, in either direction
//   tram_peer_addresses                     gauge, addresses sent to that are remembered now
//   tram_peer_connections_accepted_total    of these, those beyond connections_max:
//   tram_peer_connections_refused_total
//   tram_peer_connections_dialled_total
//   tram_peer_dials_failed_total
//   tram_peer_messages_sent_total           confirmed, as PeerOptions::confirm means it
//   tram_peer_sent_bytes_total              of them, as they are on the wire
//   tram_peer_messages_lost_total           not confirmed, and told so
//   tram_peer_messages_received_total
//   tram_peer_received_bytes_total          of their payloads
//   tram_peer_faults_total                  connections closed for what came on them, or did not
//   tram_peer_pauses_total                  readings held back by a full inbox
//
// What to look at first: messages_lost, faults and refused, which stay at zero where all is well.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tram/base/metrics_text.h"
#include "tram/net/peer/options.h"

namespace tram::net {

// One Peer's numbers, and what tells them from others'.
struct PeerSeries {
  PeerStats stats = {};
  // The names are letters, digits and underscores; the values any bytes, escaped here. Both are
  // looked at, and not kept.
  std::vector<base::MetricLabel> labels = {};
};

std::string prometheus_text(std::span<const PeerSeries> peers);

inline std::string prometheus_text(const PeerStats& stats,
                                   std::vector<base::MetricLabel> labels = {}) {
  PeerSeries one{stats, std::move(labels)};
  return prometheus_text(std::span<const PeerSeries>(&one, 1));
}

}  // namespace tram::net
