// tram queues [list|show|purge|delete] [QUEUE...]
#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "tram/cli/duration.h"
#include "tram/cli/json_text.h"
#include "tram/cli/nearest.h"
#include "tram/cli/verbs.h"
#include "tram/client/queue.h"

namespace tram::cli {

using base::Result;
using client::QueueInfo;

namespace {

class QueuesVerb final : public Verb {
 public:
  void declare(OptionSet& options) override {
    options.optional("ACTION", action_, "what to do (default list)",
                     {"list", "show", "purge", "delete"});
    options.rest("QUEUE", names_, "the queues to show, purge or delete");
    options.flag("-y,--yes", yes_, "purge or delete without asking");
  }
  std::vector<Example> examples() const override {
    return {{"tram queues", ""},
            {"tram queues show jobs --json", ""},
            {"tram queues purge jobs mails", "removes their ready messages"},
            {"tram queues delete old --yes", "removes the queue and all in it"}};
  }
  std::string_view notes() const override {
    return "On a terminal, purge and delete ask first; --yes answers. Elsewhere they need --yes.\n";
  }
  int run(Context& context) override;

 private:
  int list(Context& context, client::Queues& queues);
  int show(Context& context, client::Queues& queues);
  int remove(Context& context, client::Queues& queues);
  bool confirmed(Context& context) const;

  std::optional<std::string> action_;
  std::vector<std::string> names_;
  bool yes_ = false;
};

std::string json(const QueueInfo& queue) {
  return fmt::format(
      "{{\"name\":{},\"ready\":{},\"leased\":{},\"bytes\":{},\"waiting_takers\":{},\"puts\":{},"
      "\"deliveries\":{},\"oldest_ready_age_ms\":{}}}",
      json_string(queue.name), queue.ready, queue.leased, queue.bytes, queue.waiting_takers,
      queue.puts, queue.deliveries, queue.oldest_ready_age.milliseconds());
}

std::string age(const QueueInfo& queue) {
  return queue.ready == 0 ? "-" : show_duration(queue.oldest_ready_age);
}

int QueuesVerb::list(Context& context, client::Queues& queues) {
  auto all = queues.list();
  if (!all) return context.fail(all.error());
  std::sort(all->begin(), all->end(),
            [](const QueueInfo& a, const QueueInfo& b) { return a.name < b.name; });
  std::string out;
  size_t width = 5;
  for (const QueueInfo& queue : *all) width = std::max(width, queue.name.size());
  auto row = [&](auto name, auto ready, auto leased, auto bytes, auto takers, auto puts, auto gets,
                 auto oldest) {
    out += fmt::format("{:<{}}  {:>9}  {:>7}  {:>11}  {:>6}  {:>10}  {:>10}  {:>8}\n", name, width,
                       ready, leased, bytes, takers, puts, gets, oldest);
  };
  if (!context.json() && !all->empty()) {
    row("QUEUE", "READY", "LEASED", "BYTES", "TAKERS", "PUTS", "TAKEN", "OLDEST");
  }
  for (const QueueInfo& queue : *all) {
    if (context.json()) {
      out += json(queue) + "\n";
    } else {
      row(queue.name, queue.ready, queue.leased, queue.bytes, queue.waiting_takers, queue.puts,
          queue.deliveries, age(queue));
    }
  }
  if (all->empty()) context.say("there are no queues: 'tram put' makes one");
  auto printed = context.print(out);
  return printed ? int(exit_ok) : context.fail(printed.error());
}

int QueuesVerb::show(Context& context, client::Queues& queues) {
  for (const std::string& name : names_) {
    auto queue = queues.show(name);
    if (!queue) return context.fail(queue.error());
    std::string out = json(*queue) + "\n";
    if (!context.json()) {
      out = fmt::format(
          "{}\n  ready           {}\n  leased          {}\n  bytes           {}\n"
          "  waiting takers  {}\n  puts            {}\n  deliveries      {}\n"
          "  oldest ready    {}\n",
          queue->name, queue->ready, queue->leased, queue->bytes, queue->waiting_takers,
          queue->puts, queue->deliveries, age(*queue));
    }
    if (auto printed = context.print(out); !printed) return context.fail(printed.error());
  }
  return exit_ok;
}

bool QueuesVerb::confirmed(Context& context) const {
  if (yes_) return true;
  if (!::isatty(STDIN_FILENO)) {
    context.refuse(fmt::format("{} needs --yes when nobody can be asked", *action_));
    return false;
  }
  fmt::print(stderr, "{} {}? [y/N] ", *action_, fmt::join(names_, ", "));
  char answer = 0;
  bool agreed = ::read(STDIN_FILENO, &answer, 1) == 1 && (answer == 'y' || answer == 'Y');
  if (!agreed) context.say("nothing was done");
  return agreed;
}

int QueuesVerb::remove(Context& context, client::Queues& queues) {
  bool purge = *action_ == "purge";
  int code = exit_ok;
  for (const std::string& name : names_) {
    auto removed = purge ? queues.purge(name) : queues.remove(name);
    if (!removed) {
      // The others are gone through all the same: each stands for itself.
      base::Error error = removed.error();
      if (error.detail.empty()) error.detail = name;
      code = context.fail(error);
      continue;
    }
    if (context.json()) {
      auto line = fmt::format("{{\"queue\":{},\"removed\":{}}}\n", json_string(name), *removed);
      if (auto printed = context.print(line); !printed) return context.fail(printed.error());
    }
    context.say("{} {}: {} message{} removed", purge ? "purged" : "deleted", name, *removed,
                *removed == 1 ? "" : "s");
  }
  return code;
}

int QueuesVerb::run(Context& context) {
  std::string action = action_.value_or("list");
  std::vector<std::string> actions{"list", "show", "purge", "delete"};
  if (std::find(actions.begin(), actions.end(), action) == actions.end()) {
    std::string near = nearest(action, actions);
    return context.refuse(
        near.empty() ? fmt::format("there is no action '{}': list, show, purge or delete", action)
                     : fmt::format("there is no action '{}': did you mean {}?", action, near));
  }
  if (action == "list" && !names_.empty()) return context.refuse("list takes no names: show does");
  if (action != "list" && names_.empty()) return context.refuse(action + " which queue?");
  bool destructive = action == "purge" || action == "delete";
  if (destructive && !confirmed(context))
    return yes_ || ::isatty(STDIN_FILENO) ? exit_failed : exit_usage;

  auto client = context.connect();
  if (!client) return context.fail(client.error());
  client::Queues queues(**client, context.globals().timeout);
  if (action == "list") return list(context, queues);
  if (action == "show") return show(context, queues);
  return remove(context, queues);
}

}  // namespace

std::unique_ptr<Verb> make_queues() { return std::make_unique<QueuesVerb>(); }

}  // namespace tram::cli
