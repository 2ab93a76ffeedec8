#include "ops/ssh/exec.h"

#include <cstdlib>
#include <optional>

#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "ops/ssh/session.h"
#include "sys/signals.h"

namespace banger::ops {

std::string remote_command(const std::vector<std::string>& words) {
  if (words.size() == 1) return words[0];
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(shell_quote(word));
  return join(quoted, " ");
}

int ssh_exec(Reader& in, const std::string& ref, const std::vector<std::string>& words) {
  SshTarget target = find_ssh_target(in, ref);
  int status = 0;
  with_guest(target, in.dirs, [&] {
    auto session = open_session(target);
    sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
    guest::Streams streams{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, 0, signals.fd()};
    status = session.run(remote_command(words), streams, Deadline({})).status;
  });
  return status;
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

bool has_ssh_client() { return sys::find_program("ssh").has_value(); }

int ssh_own_terminal(Reader& in, const std::string& ref, const std::vector<std::string>& words,
                     const std::function<std::shared_ptr<void>()>& raw) {
  SshTarget target = find_ssh_target(in, ref);
  std::optional<std::string> command;
  if (!words.empty()) command = remote_command(words);
  int status = 0;
  with_guest(target, in.dirs, [&] {
    auto session = open_session(target);
    guest::Streams streams{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    winsize size{};
    bool terminal = ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0;
    sys::Signals signals(terminal ? std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP, SIGWINCH}
                                  : std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP});
    streams.signals = signals.fd();
    std::shared_ptr<void> held;
    if (terminal) {
      const char* type = std::getenv("TERM");
      streams.terminal = {type && *type ? type : "vt100", {}};
      if (size.ws_col > 0 && size.ws_row > 0) streams.terminal->size = {size.ws_col, size.ws_row};
      held = raw();
    }
    status = session.run(command, streams, Deadline({})).status;
  });
  return status;
}

void ssh_terminal(Reader& in, const std::string& ref, const std::vector<std::string>& words) {
  SshTarget target = find_ssh_target(in, ref);
  sys::exec(ssh_client_command(target, words), sys::Keep::nothing);
}

} // namespace banger::ops
