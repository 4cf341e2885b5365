// What every verb's exit means, to a shell.
#pragma once

#include "tram/base/error.h"

namespace tram::cli {

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,     // it was tried and did not work
  exit_usage = 2,      // it was not tried: the command line is wrong
  exit_nothing = 3,    // there was nothing to get
  exit_no_answer = 4,  // nobody answered, or not in time
  exit_interrupted = 130,
};

constexpr int exit_code_of(base::Errc code) {
  using base::Errc;
  switch (code) {
    case Errc::no_responders:
    case Errc::timed_out:
      return exit_no_answer;
    case Errc::invalid_subject:
    case Errc::wildcard_in_publish:
    case Errc::invalid_queue_name:
    case Errc::invalid_header:
    case Errc::invalid_argument:
      return exit_usage;
    case Errc::cancelled:
      return exit_interrupted;
    default:
      return exit_failed;
  }
}

}  // namespace tram::cli
