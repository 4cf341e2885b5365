// A verb: what the first word after `tram` names. Each is a class in a file of its own in
// commands/, and a line in verbs.cc.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tram/cli/context.h"
#include "tram/cli/option_set.h"

namespace tram::cli {

struct Example {
  std::string_view line;  // as typed
  std::string_view what;  // what it does; may be empty
};

class Verb {
 public:
  virtual ~Verb() = default;
  // Binds this verb's variables; called once, before `run`.
  virtual void declare(OptionSet& options) = 0;
  // Returns the exit code.
  virtual int run(Context& context) = 0;
  // More that help should say, in whole lines; may be empty.
  virtual std::string_view notes() const { return {}; }
  virtual std::vector<Example> examples() const = 0;
};

struct VerbEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Verb> (*make)();
};

// A verb whose options are not ours: `serve` brings its own. It is given the words from its
// name on, answers to --help itself, and is listed like the others.
struct ExtraVerb {
  std::string name;
  std::string summary;
  int (*run)(int argc, char** argv);
  std::vector<std::string> options;  // for completion: "--host", ...
};

}  // namespace tram::cli
