#include "tram/server/nearest_name.h"

#include <algorithm>
#include <vector>

namespace tram::server {

// Optimal string alignment, row by row: three rows are all that is looked at.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string_view nearest_name(std::string_view mistyped, std::span<const std::string> known) {
  constexpr size_t looked_at = 64;  // Nobody mistypes a name by this much.
  if (mistyped.size() > looked_at) return {};
  std::string_view nearest;
  size_t least = mistyped.size() / 3 + 2;
  for (const std::string& name : known) {
    size_t apart = distance(mistyped, name);
    // Half of a name is often all that is remembered: "queues" for "queues-max".
    if (mistyped.size() >= 3 && name.find(mistyped) != std::string::npos)
      apart = std::min<size_t>(apart, 2);
    if (apart < least) {
      least = apart;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace tram::server
