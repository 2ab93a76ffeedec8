#include "guest/ssh/channel.h"

#include <algorithm>
#include <array>
#include <csignal>

#include "core/error.h"
#include "guest/ssh/session_impl.h"

namespace banger::guest {

namespace {

constexpr unsigned command_window = 2u << 20, connection_window = 256u << 10, packet_size = 32768;

// The names of RFC 4254, 6.10, and those that Linux servers add.
int signal_number(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 22> names{
      {{"ABRT", SIGABRT}, {"ALRM", SIGALRM},    {"FPE", SIGFPE},       {"HUP", SIGHUP},
       {"ILL", SIGILL},   {"INT", SIGINT},      {"KILL", SIGKILL},     {"PIPE", SIGPIPE},
       {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},    {"TERM", SIGTERM},     {"USR1", SIGUSR1},
       {"USR2", SIGUSR2}, {"BUS", SIGBUS},      {"SYS", SIGSYS},       {"TRAP", SIGTRAP},
       {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},    {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
       {"POLL", SIGPOLL}, {"STKFLT", SIGSTKFLT}}};
  for (auto [known, number] : names)
    if (known == name) return number;
  return 127; // 255: some signal, but which?
}

} // namespace

struct Channel::Impl {
  Session::Impl& session;
  std::optional<std::string> command;
  std::optional<TerminalRequest> terminal;
  std::string host; // of a connection
  int port = 0;
  unsigned window = command_window;
  bool runs = true; // something is to be started in it
  enum class Step { open, terminal, start, ready } step = Step::open;
  bool asked = false, unanswered = false;
  LIBSSH2_CHANNEL* channel = nullptr;

  int open() {
    if (session.opening && session.opening != this) return LIBSSH2_ERROR_EAGAIN;
    session.opening = this;
    if (host.empty())
      channel = libssh2_channel_open_ex(session.ssh, "session", 7, window, packet_size, nullptr, 0);
    else
      channel = open_connection();
    int result = channel ? 0 : libssh2_session_last_errno(session.ssh);
    if (result != LIBSSH2_ERROR_EAGAIN) session.opening = nullptr;
    return result;
  }
  // RFC 4254, 7.2. libssh2's own call for it has no say in the window.
  LIBSSH2_CHANNEL* open_connection() {
    std::string where;
    auto number = [&](size_t n) {
      for (int shift : {24, 16, 8, 0}) where += static_cast<char>(n >> shift & 0xff);
    };
    auto text = [&](std::string_view t) {
      number(t.size());
      where += t;
    };
    text(host);
    number(static_cast<size_t>(port));
    text("127.0.0.1");
    number(0);
    return libssh2_channel_open_ex(session.ssh, "direct-tcpip", 12, window, packet_size,
                                   where.data(), static_cast<unsigned>(where.size()));
  }
  int ask_terminal() {
    const auto& t = *terminal;
    return libssh2_channel_request_pty_ex(channel, t.type.data(),
                                          static_cast<unsigned>(t.type.size()), nullptr, 0,
                                          t.size.columns, t.size.rows, 0, 0);
  }
  int start() {
    asked = true;
    if (!command) return libssh2_channel_process_startup(channel, "shell", 5, nullptr, 0);
    return libssh2_channel_process_startup(channel, "exec", 4, command->data(),
                                           static_cast<unsigned>(command->size()));
  }
  // EAGAIN, 0 when one step further, or a failure.
  int next() {
    switch (step) {
    case Step::open:
      return open();
    case Step::terminal:
      return ask_terminal();
    case Step::start:
      return start();
    case Step::ready:
      break;
    }
    return 0;
  }
  std::string doing() const {
    switch (step) {
    case Step::terminal:
      return "get a terminal";
    case Step::start:
      return command ? "start a command" : "start a shell";
    default:
      return host.empty() ? "open a channel" : fmt::format("reach {}:{}", host, port);
    }
  }
  Step after() const {
    if (!runs) return Step::ready;
    if (step == Step::open && terminal) return Step::terminal;
    return step == Step::start ? Step::ready : Step::start;
  }
};

Channel Channel::command(Session& session, const std::optional<std::string>& command,
                         const std::optional<TerminalRequest>& terminal) {
  auto impl = std::unique_ptr<Impl>(new Impl{*session.impl_, command, terminal, {}});
  return Channel(std::move(impl));
}

Channel Channel::connection(Session& session, const std::string& host, int port) {
  auto impl =
      std::unique_ptr<Impl>(new Impl{*session.impl_, {}, {}, host, port, connection_window, false});
  return Channel(std::move(impl));
}

Channel Channel::idle(Session& session) {
  auto impl =
      std::unique_ptr<Impl>(new Impl{*session.impl_, {}, {}, {}, 0, connection_window, false});
  return Channel(std::move(impl));
}

bool Channel::advance() {
  Impl& c = *impl_;
  while (c.step != Impl::Step::ready) {
    int result = c.next();
    if (result == LIBSSH2_ERROR_EAGAIN) {
      // An answer that came before the end would have been found.
      c.unanswered = c.asked && libssh2_channel_eof(c.channel) == 1;
      if (!c.unanswered) return false;
      throw failed("cannot {} at {}: the guest closed the channel", c.doing(), c.session.where());
    }
    if (result != 0)
      throw failed("cannot {} at {}: {}", c.doing(), c.session.where(), c.session.last_error());
    c.step = c.after();
  }
  return true;
}

bool Channel::is_open() const { return impl_->step == Impl::Step::ready; }
bool Channel::is_asked() const { return impl_->asked; }
bool Channel::is_unanswered() const { return impl_->unanswered; }

size_t Channel::read(Output which, std::span<char> buffer) {
  if (!is_open()) return 0;
  auto n =
      libssh2_channel_read_ex(impl_->channel, which == Output::out ? 0 : SSH_EXTENDED_DATA_STDERR,
                              buffer.data(), buffer.size());
  if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
    throw Error(Code::unreachable, fmt::format("cannot read from {}: {}", impl_->session.where(),
                                               impl_->session.last_error()));
  return n > 0 ? static_cast<size_t>(n) : 0;
}

size_t Channel::write(std::string_view bytes) {
  // A peer that does not read keeps us here, not in memory.
  if ((!is_open() && !is_asked()) || bytes.empty() ||
      impl_->session.context.transport.pending() > command_window / 8)
    return 0;
  auto n = libssh2_channel_write_ex(impl_->channel, 0, bytes.data(), bytes.size());
  if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
    throw Error(Code::unreachable, fmt::format("cannot write to {}: {}", impl_->session.where(),
                                               impl_->session.last_error()));
  return n > 0 ? static_cast<size_t>(n) : 0;
}

bool Channel::send_eof() { return libssh2_channel_send_eof(impl_->channel) == 0; }

void Channel::resize(const TerminalSize& size) {
  if (is_open()) libssh2_channel_request_pty_size_ex(impl_->channel, size.columns, size.rows, 0, 0);
}

bool Channel::ended() const { return is_open() && libssh2_channel_eof(impl_->channel) == 1; }

bool Channel::closed() { return ended() && libssh2_channel_wait_closed(impl_->channel) == 0; }

int Channel::status() {
  char* name = nullptr;
  size_t size = 0;
  if (libssh2_channel_get_exit_signal(impl_->channel, &name, &size, nullptr, nullptr, nullptr,
                                      nullptr) == 0 &&
      name) {
    int status = 128 + signal_number({name, size});
    libssh2_free(impl_->session.ssh, name);
    return status;
  }
  return libssh2_channel_get_exit_status(impl_->channel) & 0xff;
}

bool Channel::close() {
  if (!impl_->channel || impl_->session.context.transport.gone()) return true;
  if (libssh2_channel_free(impl_->channel) == LIBSSH2_ERROR_EAGAIN) return false;
  impl_->channel = nullptr;
  return true;
}

Channel::Channel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
// The session frees what is still open.
Channel::~Channel() = default;

} // namespace banger::guest
