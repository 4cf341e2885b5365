// A command run for one message: the body on its standard input, its output kept or passed
// through, its end seen without blocking.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/client/headers.h"

namespace tram::cli {

// Variables for a command's environment, added to ours.
using Environment = std::vector<std::pair<std::string, std::string>>;

// TRAM_HEADER_TRACE_ID=... for each header: names in capitals, other bytes than letters and
// digits as _. With the prefix no header can pose as a variable that means something else.
void add_headers(Environment& environment, client::HeadersView headers);

class Child {
 public:
  enum class Output { keep, pass_through };

  // Runs `words` (found by PATH) in a process group of its own. Errors: io_error.
  static base::Result<Child> start(const std::vector<std::string>& words,
                                   const Environment& environment, base::Bytes input, Output output,
                                   size_t output_bytes_max);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  // Kills it if it still runs.
  ~Child();

  // What to watch: for reading `output_descriptor` and `end_descriptor`, for writing
  // `input_descriptor`; -1 for none.
  int input_descriptor() const { return input_end_; }
  int output_descriptor() const { return output_end_; }
  int end_descriptor() const { return pid_end_; }
  // Does what can be done without waiting.
  void step();

  bool ended() const { return ended_; }
  // 128 and the signal's number if one killed it, as shells say it.
  int exit_code() const { return exit_code_; }
  const base::Bytes& output() const { return output_; }
  // It said more than was allowed, and was killed for it.
  bool output_too_large() const { return output_too_large_; }
  void signal(int number) const;

 private:
  Child() = default;
  void feed();
  void drain();

  int pid_ = -1;
  int pid_end_ = -1;
  int input_end_ = -1;
  int output_end_ = -1;
  base::Bytes input_;
  size_t fed_ = 0;
  base::Bytes output_;
  size_t output_bytes_max_ = 0;
  bool output_too_large_ = false;
  bool ended_ = false;
  int exit_code_ = -1;
};

}  // namespace tram::cli
