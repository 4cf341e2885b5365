#include "tram/net/peer/metrics.h"

#include <array>
#include <string_view>

namespace tram::net {

using base::MetricsText;
using base::MetricType;

namespace {

struct Row {
  uint64_t PeerStats::* number;
  MetricType type;
  std::string_view name;
  std::string_view help;
};
constexpr std::array rows = {
    Row{&PeerStats::connections, MetricType::gauge, "tram_peer_connections", "Open connections."},
    Row{&PeerStats::addresses, MetricType::gauge, "tram_peer_addresses",
        "Addresses sent to that are remembered."},
    Row{&PeerStats::accepted, MetricType::counter, "tram_peer_connections_accepted_total",
        "Connections that others dialled."},
    Row{&PeerStats::refused, MetricType::counter, "tram_peer_connections_refused_total",
        "Connections closed at once, as there were connections_max."},
    Row{&PeerStats::dialled, MetricType::counter, "tram_peer_connections_dialled_total",
        "Connections that this peer dialled."},
    Row{&PeerStats::dials_failed, MetricType::counter, "tram_peer_dials_failed_total",
        "Attempts to connect that failed."},
    Row{&PeerStats::messages_sent, MetricType::counter, "tram_peer_messages_sent_total",
        "Messages confirmed: handed to the kernel, or received, as the peer was told."},
    Row{&PeerStats::bytes_sent, MetricType::counter, "tram_peer_sent_bytes_total",
        "Bytes of confirmed messages on the wire."},
    Row{&PeerStats::messages_lost, MetricType::counter, "tram_peer_messages_lost_total",
        "Messages that were not confirmed, and whose senders were told so."},
    Row{&PeerStats::messages_received, MetricType::counter, "tram_peer_messages_received_total",
        "Messages that came."},
    Row{&PeerStats::bytes_received, MetricType::counter, "tram_peer_received_bytes_total",
        "Bytes of the payloads of messages that came."},
    Row{&PeerStats::faults, MetricType::counter, "tram_peer_faults_total",
        "Connections closed for what came on them, or did not come in time."},
    Row{&PeerStats::pauses, MetricType::counter, "tram_peer_pauses_total",
        "Times that reading waited for room in the inbox."},
};
// A number that is new belongs on the page, too.
static_assert(rows.size() * sizeof(uint64_t) == sizeof(PeerStats));

}  // namespace

std::string prometheus_text(std::span<const PeerSeries> peers) {
  MetricsText text;
  for (const Row& row : rows) {
    text.family(row.name, row.type, row.help);
    for (const PeerSeries& peer : peers) text.sample(peer.labels, peer.stats.*row.number);
  }
  return text.take();
}

}  // namespace tram::net
