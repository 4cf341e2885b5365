// Any text as a configuration file, and as the value of any option: refused or taken, and what
// was taken shows as text that is taken again.
#include <cstddef>
#include <cstdint>

#include "tram/base/assert.h"
#include "tram/server/option_file.h"

using namespace tram::server;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  FileEntries found = parse_option_file(text, "fuzz.toml");
  Options options = default_options();
  for (const FileEntry& entry : found.entries) (void)set_option(options, *entry.row, entry.value);

  const OptionRow& row = option_table()[data[0] % option_table().size()];
  if (set_option(options, row, text) && !row.secret) {
    std::string shown = show_option(options, row);
    TRAM_ASSERT(set_option(options, row, shown).has_value(), row.name);
    TRAM_ASSERT(show_option(options, row) == shown, row.name);
  }
  return 0;
}
