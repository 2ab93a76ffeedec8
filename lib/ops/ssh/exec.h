// A command or a shell in a VM, over ssh.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "ops/ssh/target.h"
#include "sys/process.h"

namespace banger::ops {

// The line for the guest's shell: one word as it is, so that it can be a script ("cd /x && ls");
// several words quoted each, so that the command gets its arguments as they were given here.
std::string remote_command(const std::vector<std::string>& words);

struct ExecOptions {
  bool no_input = false; // the guest's command gets an empty standard input
};

// Runs it with this process's standard streams, or without words the user's shell, on no terminal;
// returns the guest's status, 128+n where a signal ended it. Throws Error for every failure of
// banger's own, with the VM as subject; its error_number() is EPIPE when standard output has no
// reader any more.
int ssh_exec(Reader& in, const std::string& ref, const std::vector<std::string>& words,
             const ExecOptions& options = {});

// Whether OpenSSH's client is there.
bool has_ssh_client();
// A shell, or `words` on a terminal, without it. `raw` makes standard input, a terminal, give every
// byte as it is typed for as long as its result lives; where standard input is no terminal the
// guest's has a usual size. Returns and throws as ssh_exec does.
int ssh_own_terminal(Reader& in, const std::string& ref, const std::vector<std::string>& words,
                     const std::function<std::shared_ptr<void>()>& raw);

// OpenSSH's client on a terminal, whatever standard input is: a shell, or `words` with a terminal.
// This process becomes it.
[[noreturn]] void ssh_terminal(Reader& in, const std::string& ref,
                               const std::vector<std::string>& words, const ExecOptions& options);
// The command line for that; `type` is TERM there. It reads no configuration of the user's: the
// keys pinned here decide.
sys::Command ssh_client_command(const SshTarget& target, const std::vector<std::string>& words,
                                const ExecOptions& options, const std::string& type);

} // namespace banger::ops
