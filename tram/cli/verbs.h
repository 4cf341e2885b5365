// The table of verbs.
#pragma once

#include <vector>

#include "tram/cli/verb.h"

namespace tram::cli {

// What help, completion and dispatch know. `help`, `version` and `completion` are verbs like
// the others, and are given the table they are in.
struct VerbTable {
  std::vector<VerbEntry> verbs;
  std::vector<ExtraVerb> extra;

  const VerbEntry* find(std::string_view name) const;
  const ExtraVerb* find_extra(std::string_view name) const;
  std::vector<std::string> names() const;
};

// All of ours, in the order in which help shows them.
std::vector<VerbEntry> own_verbs();

std::unique_ptr<Verb> make_put();
std::unique_ptr<Verb> make_get();
std::unique_ptr<Verb> make_on();
std::unique_ptr<Verb> make_pub();
std::unique_ptr<Verb> make_sub();
std::unique_ptr<Verb> make_request();
std::unique_ptr<Verb> make_reply();
std::unique_ptr<Verb> make_queues();
std::unique_ptr<Verb> make_bench();
std::unique_ptr<Verb> make_peer();

}  // namespace tram::cli
