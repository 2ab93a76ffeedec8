#include "ops/query/console.h"
#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "cli/terminal.h"
#include "core/text.h"
#include "ops/common/open.h"

namespace banger::tool {

namespace {

struct Console : cli::Verb {
  std::string name;

  void declare(cli::Spec& spec) override {
    spec.operands = {{.name = "NAME",
                      .help = "VM to attach to",
                      .complete = cli::Complete::vms,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    bool people = cli::stdout_is_terminal();
    ops::ConsoleEnds ends;
    ends.in = 0;
    ends.has_escape = cli::is_terminal(0);
    ends.reader = cli::pipe_of_stdout();
    auto print = [&](std::string_view text) {
      app.out.bytes(text);
      app.out.flush();
    };
    ends.show = print;
    ends.show_past = [&](std::string_view text) {
      if (ends.has_escape) app.notice(fmt::format("console of '{}'; Ctrl-] leaves it", name));
      print(people ? escape_for_terminal(text) : std::string(text));
    };
    ops::ConsoleOutcome outcome;
    {
      cli::RawTerminal raw(0);
      outcome = ops::attach_console(in, name, ends);
    }
    if (people) app.out.line("");
    app.out.flush();
    app.notice(outcome == ops::ConsoleOutcome::vm_ended ? fmt::format("'{}' has ended", name)
                                                        : fmt::format("left '{}'", name));
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_console() { return std::make_unique<Console>(); }

} // namespace banger::tool
