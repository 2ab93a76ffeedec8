#include "ops/ssh/exec.h"

#include <algorithm>
#include <array>
#include <cctype>
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
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(shell_quote(word));
  std::string command = words.size() == 1 ? words[0] : join(quoted, " ");
  // The guest's shell gets it as a word behind -c, and would take it for options of its own.
  return command.starts_with('-') ? " " + command : command;
}

namespace {

// The terminal types that every guest with terminfo has, as of Debian's ncurses-base.
constexpr std::array common_types{"ansi",  "dumb",          "linux", "screen", "screen-256color",
                                  "tmux",  "tmux-256color", "vt100", "vt102",  "vt220",
                                  "xterm", "xterm-256color"};

// For the guest's shell: which of its words it knows, the first one.
constexpr std::string_view known_type = R"sh(
for t; do
  for d in "$HOME/.terminfo" /etc/terminfo /lib/terminfo /usr/share/terminfo /usr/lib/terminfo; do
    [ -e "$d/${t%"${t#?}"}/$t" ] && printf '%s\n' "$t" && exit
  done
done
)sh";

// TERM as the guest knows it: programs there refuse one that it does not know, or draw nothing.
std::string terminal_type(const SshTarget& target) {
  const char* own = std::getenv("TERM");
  std::string type = own ? own : "";
  if (std::ranges::find(common_types, type) != common_types.end()) return type;
  auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("+-._").contains(c);
  };
  if (type.empty() || type.size() > 64 || type.starts_with('.') ||
      !std::ranges::all_of(type, plain))
    return "vt100";
  auto session = open_session(target);
  auto said = session.run(
      fmt::format("exec /bin/sh -c {} sh {} xterm-256color xterm", shell_quote(known_type), type),
      {-1, -1, -1, 128}, Deadline(std::chrono::seconds(30)));
  for (const std::string& known : {type, std::string("xterm-256color")})
    if (trim(said.tail) == known) return known;
  return "xterm";
}

} // namespace

int ssh_exec(Reader& in, const std::string& ref, const std::vector<std::string>& words,
             const ExecOptions& options) {
  SshTarget target = find_ssh_target(in, ref);
  std::optional<std::string> command;
  if (!words.empty()) command = remote_command(words);
  int status = 0;
  with_guest(target, in.dirs, [&] {
    auto session = open_session(target);
    sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
    guest::Streams streams{options.no_input ? -1 : STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, 0,
                           signals.fd()};
    status = session.run(command, streams, Deadline({})).status;
  });
  return status;
}

sys::Command ssh_client_command(const SshTarget& target, const std::vector<std::string>& words,
                                const ExecOptions& options, const std::string& type) {
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
  command.argv = {"ssh", "-F", "none", "-p", std::to_string(target.endpoint.port),
                  option("IdentityFile", path(target.endpoint.identity)),
                  option("IdentitiesOnly", "yes"), option("PreferredAuthentications", "publickey"),
                  option("UserKnownHostsFile", path(target.known_hosts)),
                  option("GlobalKnownHostsFile", "/dev/null"), option("HostKeyAlias", target.host),
                  option("StrictHostKeyChecking", "yes"), option("UpdateHostKeys", "no"),
                  // Its words about a connection that ends as it should are none of ours.
                  option("LogLevel", "ERROR")};
  command.env = {{"TERM", type}};
  command.argv.emplace_back("-tt"); // of "-t" it thinks better where standard input is none
  if (options.no_input) command.argv.emplace_back("-n");
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
    std::string type = terminal_type(target);
    auto session = open_session(target);
    guest::Streams streams{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    winsize size{};
    bool terminal = ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0;
    sys::Signals signals(terminal ? std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP, SIGWINCH}
                                  : std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP});
    streams.signals = signals.fd();
    std::shared_ptr<void> held;
    streams.terminal = {type, {}};
    if (terminal) {
      if (size.ws_col > 0 && size.ws_row > 0) streams.terminal->size = {size.ws_col, size.ws_row};
      held = raw();
    }
    status = session.run(command, streams, Deadline({})).status;
  });
  return status;
}

void ssh_terminal(Reader& in, const std::string& ref, const std::vector<std::string>& words,
                  const ExecOptions& options) {
  SshTarget target = find_ssh_target(in, ref);
  std::string type;
  with_guest(target, in.dirs, [&] {
    if (!words.empty()) guest::check_terminal_command(remote_command(words));
    type = terminal_type(target);
  });
  sys::exec(ssh_client_command(target, words, options, type), sys::Keep::nothing);
}

} // namespace banger::ops
