// Our own rows, by what they use: one function each, listed in tram.cc.
#pragma once

#include "../rows.h"

namespace bench {

// units.cc
void graph(Row& row);
void storm(Row& row);
void skynet(Row& row);
void async(Row& row);
void tokio(Row& row);
void million(Row& row);
void idle(Row& row);

}  // namespace bench
