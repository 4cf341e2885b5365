#include "tram/cli/verbs.h"

namespace tram::cli {

std::vector<VerbEntry> own_verbs() {
  return {
      {"put", "store a message in a queue", make_put},
      {"get", "take a message from a queue", make_get},
      {"on", "print or work off a queue's messages as they come", make_on},
      {"pub", "publish a message to whoever listens now", make_pub},
      {"sub", "print what is published", make_sub},
      {"request", "publish a question and print the answer", make_request},
      {"reply", "answer requests, with a command or a text", make_reply},
      {"queues", "list, show, purge and delete queues", make_queues},
      {"bench", "measure a broker", make_bench},
      {"peer", "messages between programs, without a broker", make_peer},
  };
}

const VerbEntry* VerbTable::find(std::string_view name) const {
  for (const VerbEntry& verb : verbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

const ExtraVerb* VerbTable::find_extra(std::string_view name) const {
  for (const ExtraVerb& verb : extra) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

std::vector<std::string> VerbTable::names() const {
  std::vector<std::string> names;
  for (const ExtraVerb& verb : extra) names.push_back(verb.name);
  for (const VerbEntry& verb : verbs) names.emplace_back(verb.name);
  names.insert(names.end(), {"help", "version", "completion"});
  return names;
}

}  // namespace tram::cli
