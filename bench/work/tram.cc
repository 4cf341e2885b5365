// tram::work's rows. What they do is in tram/, by part of the library.
#include "tram/parts.h"

using namespace bench;

namespace {

constexpr Entry rows[] = {
    {"storm", storm},
    {"storm-large", storm},
    {"storm-empty", graph},
    {"skynet", skynet},
    {"chain", graph},
    {"tree", graph},
    {"wavefront", graph},
    {"traversal", graph},
    {"async", async},
    {"tokio-chained", tokio},
    {"tokio-ping-pong", tokio},
    {"tokio-spawn-many", tokio},
    {"tokio-yield-many", tokio},
    {"million-fire", million},
    {"million-cancel", million},
    {"idle", idle},
    {"idle-sleeping", idle},
};

}  // namespace

int main(int argc, char** argv) { return run_program(argc, argv, rows); }
