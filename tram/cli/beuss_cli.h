// PUT, GET and ON in capitals: beuss's own command line over beuss's own protocol.
//
//   echo content | tram PUT <queue>     tram GET <queue> [file]     tram ON <queue>
//
// BHOST, BPORT and BMAXMESSAGESIZE are honoured. It behaves as the original does, except
// that what failed is told by the exit code too, and that nothing is said when all is well.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tram::cli {

// The words of a beuss command line (PUT queue ...), if this is one: by the program's name
// (a link named PUT, GET, ON or beuss) or by the first word in capitals.
std::optional<std::vector<std::string>> beuss_words(const std::string& program,
                                                    const std::vector<std::string>& words);

int run_beuss_cli(const std::vector<std::string>& words);

}  // namespace tram::cli
