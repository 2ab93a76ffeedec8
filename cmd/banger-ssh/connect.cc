// banger ssh NAME [CMD...]
#include <cerrno>

#include <unistd.h>

#include "banger-ssh/verbs.h"
#include "cli/app.h"
#include "cli/terminal.h"
#include "ops/common/open.h"
#include "ops/ssh/exec.h"

namespace banger::tool {

namespace {

struct Connect : cli::Verb {
  std::string name;
  bool tty = false, no_input = false;
  std::vector<std::string> command;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "-t,--tty",
                     .help = "give the command a terminal, whatever standard input is",
                     .target = &tty},
                    {.flags = "-n,--no-input",
                     .help = "read nothing from standard input",
                     .target = &no_input}};
    spec.operands = {
        {.name = "NAME", .help = "the VM", .complete = cli::Complete::vms, .target = &name}};
    spec.tail = &command;
    spec.tail_name = "CMD";
    spec.tail_help = "the command to run there, all words after NAME; a shell without it";
    spec.tail_follows = true;
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    // A script that is piped in gets a shell without a terminal.
    bool terminal = tty || (command.empty() && !no_input && ::isatty(STDIN_FILENO) == 1);
    if (terminal && ops::has_ssh_client()) ops::ssh_terminal(in, name, command, {no_input});
    try {
      if (terminal)
        return ops::ssh_own_terminal(in, name, command,
                                     [] { return std::make_shared<cli::RawTerminal>(0, true); });
      return ops::ssh_exec(in, name, command, {no_input});
    } catch (const Error& e) {
      if (e.error_number() == EPIPE) throw cli::OutputClosed();
      throw;
    }
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_connect() { return std::make_unique<Connect>(); }

} // namespace banger::tool
