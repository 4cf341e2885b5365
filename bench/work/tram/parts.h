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

// channels.cc
void handoff(Row& row);
void handoff_three(Row& row);
void queue(Row& row);

// pipelines.cc
void stages(Row& row);
void pipeline_linear(Row& row);
void pipeline_data(Row& row);
void pipeline_graph(Row& row);

// batches.cc
void single(Row& row);
void batch(Row& row);
void loads(Row& row);

// requests.cc
void requests(Row& row);
void autoscale(Row& row);

}  // namespace bench
