#include "ops/ssh_exec.h"

#include <cerrno>

#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/session.h"

namespace banger::ops {

namespace {

// For connection and login; a guest under emulation with other work needs seconds.
constexpr Millis login_time{30'000};

} // namespace

std::string remote_command(const std::vector<std::string>& words) {
  if (words.size() == 1) return words[0];
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(shell_quote(word));
  return join(quoted, " ");
}

int ssh_exec(state::State& state, const Dirs& dirs, const std::string& ref,
             const std::vector<std::string>& words) {
  SshTarget target = find_ssh_target(state, dirs, ref);
  try {
    auto session = guest::Session::connect(target.endpoint, Deadline(login_time));
    return session
        .run(remote_command(words), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, Deadline({}))
        .status;
  } catch (Error& e) {
    e.default_subject(target.vm.name);
    if (e.code() == Code::unreachable || e.code() == Code::timeout) {
      e.default_hint(fmt::format("banger vm show {}", target.vm.name));
      e.default_log(dirs.vm_file(target.vm.id, "console.log"));
    }
    if (e.error_number() != EPIPE) e.within(fmt::format("VM '{}'", target.vm.name));
    throw;
  }
}

sys::Command ssh_client_command(const SshTarget& target, const std::vector<std::string>& words) {
  auto option = [](std::string_view key, std::string_view value) {
    return fmt::format("-o{}={}", key, value);
  };
  sys::Command command;
  // A '%' would be expanded in a path; a space would end it.
  auto path = [](const std::string& p) {
    std::string out = "\"";
    for (char c : p) out += c == '%' ? "%%" : std::string(1, c);
    return out + "\"";
  };
  command.argv = {"ssh",
                  "-F",
                  "none",
                  "-p",
                  std::to_string(target.endpoint.port),
                  option("IdentityFile", path(target.endpoint.identity)),
                  option("IdentitiesOnly", "yes"),
                  option("PreferredAuthentications", "publickey"),
                  option("UserKnownHostsFile", path(target.known_hosts)),
                  option("GlobalKnownHostsFile", "/dev/null"),
                  option("HostKeyAlias", target.host),
                  option("StrictHostKeyChecking", "yes"),
                  option("UpdateHostKeys", "no")};
  if (!words.empty()) command.argv.emplace_back("-t");
  command.argv.push_back(target.endpoint.user + "@" + target.endpoint.address);
  if (!words.empty()) {
    command.argv.emplace_back("--");
    command.argv.push_back(remote_command(words));
  }
  return command;
}

void ssh_terminal(state::State& state, const Dirs& dirs, const std::string& ref,
                  const std::vector<std::string>& words) {
  SshTarget target = find_ssh_target(state, dirs, ref);
  if (!sys::find_program("ssh"))
    throw preflight("cannot open a terminal in VM '{}': there is no ssh client", target.vm.name)
        .subject(target.vm.name)
        .hint("apt install openssh-client, or give a command: banger ssh NAME -- CMD");
  sys::exec(ssh_client_command(target, words));
}

} // namespace banger::ops
