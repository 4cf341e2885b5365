// Depart: a caller has gone. What it held by lease returns to its old place at once; what it
// waited for is forgotten. Never replied to.
#pragma once

#include "tram/broker/effect.h"

namespace tram::broker {

struct State;

struct Depart {
  void texts(auto&&) {}
};
void carry_out(State& state, Depart& depart, Context& context);

}  // namespace tram::broker
