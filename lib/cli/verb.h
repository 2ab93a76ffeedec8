// A verb: one descriptor that drives parsing, --help, the man page, completion and
// dispatch.
//
// A verb is a struct derived from Verb: its options are members, `declare` binds them, `run` does
// the work (call one ops function, print). Construction must be cheap and touch nothing: help and
// completion construct a verb and never run it. Nothing registers itself; a tool's main.cc lists
// its verbs in one table.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/value.h"
#include "model/settings.h"

namespace banger::cli {

class App; // cli/app.h: a running verb's context

// The words that may stand at a place, for completion. Files are the shell's own business.
// Snapshots are those of the VM that the first operand names.
enum class Complete { nothing, vms, images, snapshots, files, directories };

struct Option {
  std::string flags;         // "-f,--force"
  std::string value = {};    // placeholder "SIZE"; empty for a switch
  std::string help = {};     // one line, lower case, no full stop
  std::string fallback = {}; // shown as the default; documentation only
  Complete complete = Complete::nothing;
  Target target = {};    // given several times, a value that does not repeat is the last one
  bool destroys = false; // something is lost by it: no guess at a misspelt word leads there
};

struct Operand {
  std::string name; // "NAME"
  std::string help;
  bool required = true;
  Complete complete = Complete::nothing;
  Target target = {}; // one that repeats takes all that follow
};

struct Spec {
  std::vector<Option> options;
  std::vector<Operand> operands;
  // All after "--" (guest commands); null where the verb takes none. `tail_name` is "CMD".
  std::vector<std::string>* tail = nullptr;
  std::string tail_name, tail_help;
  // The words after the first operand are the tail, options or not, as with ssh: the verb's own
  // options stand before it, and a "--" right behind it is dropped. For a verb without a name.
  bool tail_follows = false;
};

class Verb {
public:
  virtual ~Verb() = default;
  virtual void declare(Spec& spec) = 0;
  // Returns the exit status; failures are thrown.
  virtual int run(App& app) = 0;
};

struct Example {
  std::string_view command, what;
};

// A row of a tool's table.
struct VerbEntry {
  // "create", or two words, "snapshot create", of verbs about one matter; empty for a tool without
  // verbs (banger-doctor).
  std::string_view name;
  std::string_view summary; // one line, lower case, imperative, no full stop
  // Paragraphs of the man page and of `help VERB`; plain text, an empty line between paragraphs, a
  // line that begins with four spaces is shown as it is.
  std::string_view manual;
  std::vector<Example> examples;
  std::vector<std::string_view> objects; // kinds it prints with --json ("vm", "result")
  std::function<std::unique_ptr<Verb>()> make;
  // Relays a guest's status, so every failure of banger's own becomes 255: a verb with a name only
  // when a command for the guest is given, after "--".
  bool relays_status = false;
  // Things that it takes away do not come back: no guess at a misspelt word leads to it.
  bool destroys = false;
  bool hidden = false; // for tests and other programs; not in help
};

struct Tool {
  std::string_view name;    // "banger-vm"
  std::string_view summary; // "run and manage microVMs"
  std::string_view manual;
  // An entry with an empty name is taken where the first operand is no verb (banger-ssh NAME).
  std::span<const VerbEntry> verbs;
  // The names that stand at a place, for completion (`what` is vms or images). Only reads; an
  // exception means none.
  std::function<std::vector<std::string>(Complete what, const Dirs& dirs)> names = {};
  // The same for names that another has: `what` is snapshots, `owner` as it was typed.
  std::function<std::vector<std::string>(Complete what, const Dirs& dirs, const std::string& owner)>
      names_of = {};
};

// Everything a main() does: parses, dispatches, catches, prints errors once, gives the status.
//
// Common options (--help --version --json -q --log-level --config --state-dir --no-progress) are
// taken before and after the verb. Beside the verbs each tool answers `help [VERB]`, and some calls
// that are not for people: `__complete WORD…` (completions/), `__man [PAGE]` (the build),
// `__describe` and `__config` (tests).
// Help, man page and completion touch neither settings nor state nor config.
//
// A pipe that closed early ends the tool by SIGPIPE, after the verb has done its work; any other
// failure to write standard output is an error.
int run_tool(const Tool& tool, int argc, char** argv);

} // namespace banger::cli
