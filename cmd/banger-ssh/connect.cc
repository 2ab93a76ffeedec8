// banger ssh NAME [-- CMD...]
#include <cerrno>

#include "cli/app.h"
#include "cli/terminal.h"
#include "ops/common/open.h"
#include "ops/ssh/exec.h"
#include "verbs.h"

using namespace banger;

namespace {

struct Connect : cli::Verb {
  std::string name;
  bool tty = false;
  std::vector<std::string> command;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "-t,--tty", .help = "give the command a terminal", .target = &tty}};
    spec.operands = {
        {.name = "NAME", .help = "the VM", .complete = cli::Complete::vms, .target = &name}};
    spec.tail = &command;
    spec.tail_name = "CMD";
    spec.tail_help = "the command to run there; a shell without it";
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    bool terminal = tty || command.empty();
    if (terminal && ops::has_ssh_client()) ops::ssh_terminal(in, name, command);
    try {
      if (terminal)
        return ops::ssh_own_terminal(in, name, command,
                                     [] { return std::make_shared<cli::RawTerminal>(0, true); });
      return ops::ssh_exec(in, name, command);
    } catch (const Error& e) {
      if (e.error_number() == EPIPE) throw cli::OutputClosed();
      throw;
    }
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_connect() { return std::make_unique<Connect>(); }
