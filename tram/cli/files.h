// Bytes from standard input, to standard output, and to files: whole, or with a reason.
#pragma once

#include <functional>
#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"

namespace tram::cli {

// Everything until the end. Errors: io_error; message_too_large beyond `most` bytes;
// cancelled when a signal interrupts it.
base::Result<base::Bytes> read_all(int descriptor, size_t most);

// Calls `each` for every line, without its line break, until it says no; the last line may
// lack its break. Errors: read_all's, and those of `each`.
base::Result<> read_lines(int descriptor, size_t line_bytes_max,
                          const std::function<base::Result<>(base::BytesView)>& each);

// All of it, waiting if need be. Errors: io_error; connection_lost when it is a pipe that
// nobody reads any more; cancelled.
base::Result<> write_all(int descriptor, base::BytesView bytes);

// To a new file beside `path`, synced, and then put in its place: nobody ever sees half of
// it, and what was there before stays if this fails. A path that is a pipe or a device is
// written to as it is. Errors: io_error, permission_denied.
base::Result<> write_file(const std::string& path, base::BytesView bytes);

}  // namespace tram::cli
