#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "ops/vm_logs.h"

namespace banger::vm {

namespace {

struct Logs : cli::Verb {
  std::string name;
  std::optional<std::string> lines;
  std::string which = "console";

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {
        {"--log",
         "LOG",
         "which of its logs",
         "console",
         Complete::words,
         {"console", "vmm", "lifecycle"},
         &which},
        {"-n,--lines", "N", "only the last N lines", "all", Complete::nothing, {}, &lines}};
    spec.operands = {{"NAME", "VM whose log is wanted", true, Complete::vms, &name}};
  }

  int run(cli::App& app) override {
    size_t count =
        lines ? static_cast<size_t>(parse_number("number of lines", *lines, 1, 1'000'000)) : 0;
    ops::VmLog log = which == "vmm"         ? ops::VmLog::vmm
                     : which == "lifecycle" ? ops::VmLog::lifecycle
                                            : ops::VmLog::console;
    auto db = state::State::open(app.dirs, state::Mode::read);
    ops::Context ctx{app.settings, app.dirs, db, app.log};
    std::string text = ops::read_log(ctx, name, log, count);
    // Into a file or a pipe as it was written; at a terminal a guest's escapes stay harmless.
    app.out.bytes(cli::stdout_is_terminal() ? escape_for_terminal(text) : text);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_logs() { return std::make_unique<Logs>(); }

} // namespace banger::vm
