// Every option, one row each. Long because it is one table, and plainer so than in pieces.
#include "tram/server/option_table.h"

#include <array>
#include <fmt/core.h>

#include "tram/base/assert.h"

namespace tram::server {

namespace {

constexpr std::array<OptionSection, 8> sections = {{
    {"doors", "Doors: where the broker listens"},
    {"access", "Access: who may come in"},
    {"connections", "Connections and messages"},
    {"nats", "The NATS door"},
    {"http", "The HTTP door"},
    {"beuss", "The beuss door"},
    {"queues", "Queues and mailboxes"},
    {"program", "The program itself"},
}};

constexpr std::array rows = {
    // --- doors
    OptionRow{.name = "host",
              .section = "doors",
              .type = OptionType::host,
              .fallback = "127.0.0.1",
              .member = &Options::host,
              .sentence = "The name or address that every door listens on; 0.0.0.0 or :: for all."},
    OptionRow{.name = "nats-port",
              .section = "doors",
              .type = OptionType::port,
              .fallback = "4222",
              .member = &Options::nats_port,
              .sentence = "Where NATS clients and the command line come in."},
    OptionRow{.name = "http-port",
              .section = "doors",
              .type = OptionType::port,
              .fallback = "8082",
              .member = &Options::http_port,
              .sentence = "Where HTTP clients come in; /metrics is here too."},
    OptionRow{.name = "metrics-port",
              .section = "doors",
              .type = OptionType::port,
              .fallback = "9001",
              .member = &Options::metrics_port,
              .sentence = "A port for /metrics and /healthz alone, without a password."},
    OptionRow{.name = "beuss-port",
              .section = "doors",
              .type = OptionType::port,
              .fallback = "6552",
              .member = &Options::beuss_port,
              .sentence = "Where beuss clients come in. Their protocol has no password, so with a "
                          "user or token set this door opens only if its port is given.",
              .also = "BPORT"},
    OptionRow{.name = "ports-file",
              .section = "doors",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::ports_file,
              .sentence = "A file to write the open doors to, as JSON, once all listen; removed at "
                          "the end."},

    // --- access
    OptionRow{.name = "user",
              .section = "access",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::user,
              .sentence = "The user that clients must name; empty lets anybody in."},
    OptionRow{.name = "password",
              .section = "access",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::password,
              .sentence = "That user's password. Better in the environment or the file than in a "
                          "flag, which everybody on the machine can read.",
              .secret = true},
    OptionRow{.name = "token",
              .section = "access",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::token,
              .sentence = "A token that lets a client in instead of a user and password.",
              .secret = true},
    OptionRow{.name = "auth-timeout",
              .section = "access",
              .type = OptionType::duration,
              .fallback = "2s",
              .member = &Options::auth_timeout,
              .sentence = "How long a client may take to say who it is; then it is disconnected.",
              .least = "100ms",
              .most = "1h"},

    // --- connections
    OptionRow{.name = "connections-max",
              .section = "connections",
              .type = OptionType::count,
              .fallback = "auto",
              .member = &Options::connections_max,
              .sentence = "Connections on all doors together; more are told so and closed. `auto` "
                          "is what the limit of open files allows.",
              .word = "auto"},
    OptionRow{.name = "max-message-bytes",
              .section = "connections",
              .type = OptionType::bytes,
              .fallback = "1MiB",
              .member = &Options::max_message_bytes,
              .sentence = "The largest message, headers included; a larger one is refused.",
              .least = "1",
              .most = "64MiB"},
    OptionRow{.name = "pending-max",
              .section = "connections",
              .type = OptionType::bytes,
              .fallback = "64MiB",
              .member = &Options::pending_max,
              .sentence = "Bytes that may wait for one client that reads slowly; beyond them it is "
                          "disconnected. At least one largest message.",
              .least = "64KiB",
              .most = "4GiB"},
    OptionRow{.name = "write-stall-max",
              .section = "connections",
              .type = OptionType::duration,
              .fallback = "10s",
              .member = &Options::write_stall_max,
              .sentence = "A client that has bytes waiting and takes none for this long is "
                          "disconnected.",
              .least = "100ms",
              .most = "1d"},

    // --- nats
    OptionRow{.name = "server-name",
              .section = "nats",
              .type = OptionType::text,
              .fallback = "tram",
              .member = &Options::server_name,
              .sentence = "The name that the broker gives itself to NATS clients."},
    OptionRow{.name = "max-control-line",
              .section = "nats",
              .type = OptionType::bytes,
              .fallback = "4KiB",
              .member = &Options::max_control_line,
              .sentence = "The longest protocol line, its subject included; a client that sends a "
                          "longer one is disconnected.",
              .least = "256",
              .most = "64KiB"},
    OptionRow{.name = "max-subscriptions",
              .section = "nats",
              .type = OptionType::count,
              .fallback = "0",
              .member = &Options::max_subscriptions,
              .sentence = "Subscriptions of one client, 0 for no limit; more are refused."},
    OptionRow{.name = "ping-interval",
              .section = "nats",
              .type = OptionType::duration,
              .fallback = "2m",
              .member = &Options::ping_interval,
              .sentence = "How often a silent client is asked whether it is still there.",
              .least = "10ms",
              .most = "1d"},
    OptionRow{.name = "pings-max",
              .section = "nats",
              .type = OptionType::count,
              .fallback = "2",
              .member = &Options::pings_max,
              .sentence = "Unanswered pings; at one more the client is disconnected as stale.",
              .least = "1",
              .most = "1000"},

    // --- http
    OptionRow{.name = "http-header-bytes-max",
              .section = "http",
              .type = OptionType::bytes,
              .fallback = "16KiB",
              .member = &Options::http_header_bytes_max,
              .sentence = "A request's line and headers together; a longer request is refused.",
              .least = "1KiB",
              .most = "1MiB"},
    OptionRow{.name = "http-header-timeout",
              .section = "http",
              .type = OptionType::duration,
              .fallback = "10s",
              .member = &Options::http_header_timeout,
              .sentence = "How long a request's headers may take to come; then the connection is "
                          "closed.",
              .least = "100ms",
              .most = "1h"},
    OptionRow{.name = "http-body-timeout",
              .section = "http",
              .type = OptionType::duration,
              .fallback = "30s",
              .member = &Options::http_body_timeout,
              .sentence = "How long a request's body may take to come, besides a second for each "
                          "32 KiB of it; then the connection is closed.",
              .least = "100ms",
              .most = "1d"},
    OptionRow{.name = "http-idle-timeout",
              .section = "http",
              .type = OptionType::duration,
              .fallback = "2m",
              .member = &Options::http_idle_timeout,
              .sentence = "How long a connection may stay open between requests.",
              .least = "100ms",
              .most = "1d"},
    OptionRow{.name = "http-request-timeout",
              .section = "http",
              .type = OptionType::duration,
              .fallback = "5s",
              .member = &Options::http_request_timeout,
              .sentence = "How long /v1/request waits for an answer when it does not say.",
              .least = "1ms",
              .most = "1d"},
    OptionRow{.name = "http-heartbeat",
              .section = "http",
              .type = OptionType::duration,
              .fallback = "15s",
              .member = &Options::http_heartbeat,
              .sentence = "How often a silent stream of messages shows that it is alive.",
              .least = "100ms",
              .most = "1h"},
    OptionRow{.name = "http-batch-bytes-max",
              .section = "http",
              .type = OptionType::bytes,
              .fallback = "16MiB",
              .member = &Options::http_batch_bytes_max,
              .sentence = "A body of many messages; a larger one is refused with 413.",
              .least = "1KiB",
              .most = "1GiB"},
    OptionRow{.name = "http-batch-messages-max",
              .section = "http",
              .type = OptionType::count,
              .fallback = "10000",
              .member = &Options::http_batch_messages_max,
              .sentence = "Messages in one body; with more it is refused.",
              .least = "1",
              .most = "1000000"},
    OptionRow{.name = "http-answer-bytes-max",
              .section = "http",
              .type = OptionType::bytes,
              .fallback = "32MiB",
              .member = &Options::http_answer_bytes_max,
              .sentence = "Messages in one answer to a take; what was taken beyond it goes back "
                          "at once.",
              .least = "64KiB",
              .most = "1GiB"},
    OptionRow{.name = "http-subscriptions-max",
              .section = "http",
              .type = OptionType::count,
              .fallback = "1000",
              .member = &Options::http_subscriptions_max,
              .sentence = "Subscriptions of one WebSocket or event stream; more are refused.",
              .least = "1",
              .most = "1000000"},
    OptionRow{.name = "http-async-workers",
              .section = "http",
              .type = OptionType::count,
              .fallback = "2",
              .member = &Options::http_async_workers,
              .sentence = "Threads that carry out /api/publish/async; started when first needed.",
              .least = "1",
              .most = "256"},
    OptionRow{.name = "http-async-queue-max",
              .section = "http",
              .type = OptionType::count,
              .fallback = "1024",
              .member = &Options::http_async_queue_max,
              .sentence = "Messages that may wait for those threads; more are refused with 429.",
              .least = "1",
              .most = "1000000"},
    OptionRow{.name = "http-async-in-flight-max",
              .section = "http",
              .type = OptionType::count,
              .fallback = "4096",
              .member = &Options::http_async_in_flight_max,
              .sentence = "Messages that one event loop has accepted for them and not yet "
                          "published; more are refused with 429.",
              .least = "1",
              .most = "1000000"},
    OptionRow{.name = "http-allowed-origin",
              .section = "http",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::http_allowed_origin,
              .sentence = "The site whose pages may use the HTTP door from a browser, such as "
                          "https://example.org, or * for all; empty refuses pages of other sites."},

    // --- beuss
    OptionRow{.name = "beuss-max-message-bytes",
              .section = "beuss",
              .type = OptionType::bytes,
              .fallback = "102400",
              .member = &Options::beuss_max_message_bytes,
              .sentence = "The longest beuss message, its 32 bytes of queue name included; a "
                          "longer one is cut, counted and logged.",
              .least = "64",
              .most = "64MiB",
              .also = "BMAXMESSAGESIZE"},
    OptionRow{.name = "beuss-pause",
              .section = "beuss",
              .type = OptionType::duration,
              .fallback = "5ms",
              .member = &Options::beuss_pause,
              .sentence = "A message that may still be on its way is complete once nothing has "
                          "come for this long. Set it above the round trip time of far clients.",
              .least = "1ms",
              .most = "10s"},

    // --- queues
    OptionRow{
        .name = "queues-max",
        .section = "queues",
        .type = OptionType::count,
        .fallback = "100000",
        .member = &Options::queues_max,
        .sentence = "Queues on one thread; a put or take that would make one more is refused.",
        .least = "1",
        .most = "4294967295"},
    OptionRow{.name = "stored-bytes-max",
              .section = "queues",
              .type = OptionType::bytes,
              .fallback = "4GiB",
              .member = &Options::stored_bytes_max,
              .sentence = "Bytes of messages that wait in the queues of one thread; beyond them "
                          "puts are refused.",
              .least = "1"},
    OptionRow{.name = "waiting-takers-max",
              .section = "queues",
              .type = OptionType::count,
              .fallback = "100000",
              .member = &Options::waiting_takers_max,
              .sentence = "Takers that may wait on one queue; one more is refused.",
              .least = "1",
              .most = "4294967295"},
    OptionRow{.name = "queue-idle-expiry",
              .section = "queues",
              .type = OptionType::duration,
              .fallback = "5m",
              .member = &Options::queue_idle_expiry,
              .sentence = "A queue that has been empty and unused for this long is gone.",
              .least = "10ms"},
    OptionRow{.name = "mailboxes-max",
              .section = "queues",
              .type = OptionType::count,
              .fallback = "100000",
              .member = &Options::mailboxes_max,
              .sentence = "Mailboxes on one thread; opening one more is refused.",
              .least = "1",
              .most = "4294967295"},
    OptionRow{.name = "mailbox-pending-max",
              .section = "queues",
              .type = OptionType::count,
              .fallback = "10000",
              .member = &Options::mailbox_pending_max,
              .sentence = "Messages that wait on one subject, over all its mailboxes; beyond them "
                          "publishing over HTTP is answered with 429.",
              .least = "1"},
    OptionRow{.name = "mailbox-bytes-max",
              .section = "queues",
              .type = OptionType::bytes,
              .fallback = "1GiB",
              .member = &Options::mailbox_bytes_max,
              .sentence = "Bytes of messages that wait in all mailboxes; beyond them publishing "
                          "over HTTP is answered with 429.",
              .least = "1"},
    OptionRow{.name = "mailbox-idle-expiry",
              .section = "queues",
              .type = OptionType::duration,
              .fallback = "5m",
              .member = &Options::mailbox_idle_expiry,
              .sentence = "A mailbox that nobody fetched from for this long is removed.",
              .least = "10ms"},

    // --- program
    OptionRow{.name = "threads",
              .section = "program",
              .type = OptionType::count,
              .fallback = "auto",
              .member = &Options::threads,
              .sentence = "Event-loop threads. `auto` is half the processors, at least one: the "
                          "other half is the kernel's, which carries the bytes.",
              .least = "1",
              .most = "64",
              .word = "auto"},
    OptionRow{.name = "drain-timeout",
              .section = "program",
              .type = OptionType::duration,
              .fallback = "10s",
              .member = &Options::drain_timeout,
              .sentence = "How long a graceful stop may take; then what is left is cut off.",
              .most = "1d"},
    OptionRow{.name = "log-level",
              .section = "program",
              .type = OptionType::choice,
              .fallback = "info",
              .member = &Options::log_level,
              .sentence = "The least important lines that are logged.",
              .choices = "debug info warn error"},
    OptionRow{.name = "log-format",
              .section = "program",
              .type = OptionType::choice,
              .fallback = "text",
              .member = &Options::log_format,
              .sentence = "Lines of key=value words, or of JSON.",
              .choices = "text json"},
    OptionRow{.name = "config",
              .section = "program",
              .type = OptionType::text,
              .fallback = "",
              .member = &Options::config,
              .sentence = "A TOML file with options by these names.",
              .in_file = false},
    OptionRow{.name = "check",
              .section = "program",
              .type = OptionType::flag,
              .fallback = "false",
              .member = &Options::check,
              .sentence = "Only check the options, show those that are not at their default, and "
                          "exit.",
              .in_file = false},
};

Read<void> outside(const OptionRow& row) {
  if (row.most.empty()) return std::unexpected(fmt::format("it is at least {}", row.least));
  return std::unexpected(
      fmt::format("it is from {} to {}", row.least.empty() ? "0" : row.least, row.most));
}

// Checks `value` against the row's least and most, which `read` reads as it read the value.
template <class Value>
Read<void> store(Options& options, const OptionRow& row, Value Options::* member,
                 const Read<Value>& value, Read<Value> (*read)(std::string_view)) {
  if (!value) {
    if (row.word.empty()) return std::unexpected(value.error());
    return std::unexpected(fmt::format("{}, or the word {}", value.error(), row.word));
  }
  if (!row.least.empty() && *value < read(row.least).value()) return outside(row);
  if (!row.most.empty() && *value > read(row.most).value()) return outside(row);
  options.*member = *value;
  return {};
}

Read<void> store_choice(std::string& member, const OptionRow& row, std::string_view text) {
  std::string_view rest = row.choices;
  while (!rest.empty()) {
    std::string_view choice = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), choice.size() + 1));
    if (choice != text) continue;
    member = text;
    return {};
  }
  return std::unexpected(fmt::format("it is one of: {}", row.choices));
}

template <class Value>
Read<void> store_plain(Value& member, Read<Value> value) {
  if (!value) return std::unexpected(value.error());
  member = std::move(*value);
  return {};
}

}  // namespace

std::string_view name_of(OptionType type) {
  switch (type) {
    case OptionType::port:
      return "port";
    case OptionType::host:
      return "host";
    case OptionType::count:
      return "count";
    case OptionType::bytes:
      return "bytes";
    case OptionType::duration:
      return "duration";
    case OptionType::text:
      return "text";
    case OptionType::choice:
      return "choice";
    case OptionType::flag:
      return "flag";
  }
  return "unknown";
}

std::span<const OptionRow> option_table() { return rows; }

std::span<const OptionSection> option_sections() { return sections; }

const OptionRow* find_option(std::string_view name) {
  for (const OptionRow& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

std::string environment_name(const OptionRow& row) {
  std::string name = "TRAM_";
  for (char c : row.name)
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

Read<void> set_option(Options& options, const OptionRow& row, std::string_view text) {
  switch (row.type) {
    case OptionType::port:
      return store_plain(options.*std::get<Port Options::*>(row.member), read_port(text));
    case OptionType::host:
      return store_plain(options.*std::get<std::string Options::*>(row.member), read_host(text));
    case OptionType::text:
      return store_plain(options.*std::get<std::string Options::*>(row.member), read_text(text));
    case OptionType::flag:
      return store_plain(options.*std::get<bool Options::*>(row.member), read_flag(text));
    case OptionType::choice:
      return store_choice(options.*std::get<std::string Options::*>(row.member), row, text);
    case OptionType::duration:
      return store(options, row, std::get<base::Duration Options::*>(row.member),
                   read_duration(text), read_duration);
    case OptionType::count:
    case OptionType::bytes: {
      auto member = std::get<uint64_t Options::*>(row.member);
      if (!row.word.empty() && text == row.word) {
        options.*member = 0;
        return {};
      }
      auto read = row.type == OptionType::count ? read_count : read_bytes;
      // Where a word stands for 0, the number 0 has no meaning of its own.
      if (!row.word.empty() && text == "0")
        return std::unexpected(fmt::format("it is at least 1, or the word {}", row.word));
      return store(options, row, member, read(text), read);
    }
  }
  TRAM_ASSERT(false, row.name);
}

std::string show_option(const Options& options, const OptionRow& row) {
  struct Show {
    const Options& options;
    const OptionRow& row;
    std::string operator()(Port Options::* member) { return show(options.*member); }
    std::string operator()(base::Duration Options::* member) { return show(options.*member); }
    std::string operator()(bool Options::* member) { return options.*member ? "true" : "false"; }
    std::string operator()(std::string Options::* member) {
      return row.secret && !(options.*member).empty() ? "(hidden)" : options.*member;
    }
    std::string operator()(uint64_t Options::* member) {
      uint64_t value = options.*member;
      if (value == 0 && !row.word.empty()) return std::string(row.word);
      return row.type == OptionType::bytes ? show_bytes(value) : fmt::format("{}", value);
    }
  };
  return std::visit(Show{options, row}, row.member);
}

Options default_options() {
  Options options;
  for (const OptionRow& row : rows) {
    Read<void> set = set_option(options, row, row.fallback);
    TRAM_ASSERT(set.has_value(), row.name, set.error());
  }
  return options;
}

}  // namespace tram::server
