#include "guest/session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <libssh2.h>
#include <malloc.h>
#include <poll.h>

#include "core/text.h"
#include "guest/keygen.h"
#include "guest/streams.h"
#include "guest/wire.h"
#include "sys/file.h"

namespace banger::guest {

namespace {

constexpr size_t memory_limit = size_t{32} << 20;
// What a server may say before it is trusted: banner, key exchange and login are a few KiB.
constexpr uint64_t handshake_limit = uint64_t{1} << 20;
constexpr unsigned window_size = 2u << 20, packet_size = 32768;

// What libssh2's callbacks get.
struct Context {
  Wire wire;
  KeyPair key;
  size_t allocated = 0;
};

Context& context(void** abstract) { return *static_cast<Context*>(*abstract); }

// Zeroed, because libssh2 1.10 reads the name of an exit signal that a guest announced longer than
// it sent; bounded, because packets that nobody asked for are kept.
LIBSSH2_ALLOC_FUNC(allocate) {
  Context& c = context(abstract);
  if (count > memory_limit - std::min(memory_limit, c.allocated)) return nullptr;
  void* p = std::calloc(1, count);
  if (p) c.allocated += ::malloc_usable_size(p);
  return p;
}
LIBSSH2_FREE_FUNC(deallocate) {
  if (ptr) context(abstract).allocated -= ::malloc_usable_size(ptr);
  std::free(ptr);
}
LIBSSH2_REALLOC_FUNC(reallocate) {
  Context& c = context(abstract);
  size_t before = ptr ? ::malloc_usable_size(ptr) : 0;
  if (count > memory_limit - std::min(memory_limit, c.allocated - before)) return nullptr;
  void* p = std::realloc(ptr, count);
  if (p) c.allocated += ::malloc_usable_size(p) - before;
  return p;
}
LIBSSH2_SEND_FUNC(send_through) {
  (void)socket, (void)flags;
  return context(abstract).wire.send(buffer, length);
}
LIBSSH2_RECV_FUNC(receive_through) {
  (void)socket, (void)flags;
  return context(abstract).wire.receive(buffer, length);
}
LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign_with_key) {
  (void)session;
  try {
    Context& c = context(abstract);
    std::string signature =
        guest::sign(c.key, std::string_view(reinterpret_cast<const char*>(data), data_len));
    // libssh2 gives it back through its own free.
    *sig = static_cast<unsigned char*>(allocate(signature.size(), abstract));
    if (!*sig) return -1;
    std::memcpy(*sig, signature.data(), signature.size());
    *sig_len = signature.size();
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

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

struct Session::Impl {
  Endpoint endpoint;
  Context context;
  LIBSSH2_SESSION* ssh = nullptr;
  LIBSSH2_CHANNEL* channel = nullptr;

  Impl(Fd socket, const Endpoint& e)
      : endpoint(e), context{Wire(std::move(socket)),
                             parse_openssh_private(sys::read_file(e.identity, size_t{64} << 10))} {
    ssh = libssh2_session_init_ex(allocate, deallocate, reallocate, &context);
    if (!ssh) throw failed("cannot start ssh: out of memory");
    libssh2_session_set_blocking(ssh, 0);
    // The callbacks travel as void*.
    libssh2_session_callback_set(ssh, LIBSSH2_CALLBACK_SEND, reinterpret_cast<void*>(send_through));
    libssh2_session_callback_set(ssh, LIBSSH2_CALLBACK_RECV,
                                 reinterpret_cast<void*>(receive_through));
    // What costs a guest least, and is in every server that banger's guests run.
    prefer(LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org");
    prefer(LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519");
    for (int direction : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC})
      prefer(direction, "aes128-ctr,aes256-ctr");
    for (int direction : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC})
      prefer(direction, "hmac-sha2-256");
  }
  ~Impl() {
    // libssh2 would wait for the peer's word on each open channel, and leak if it may not.
    context.wire.abandon();
    if (channel) libssh2_channel_free(channel);
    libssh2_session_free(ssh);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void prefer(int method, const char* names) {
    if (libssh2_session_method_pref(ssh, method, names) != 0)
      throw failed("cannot start ssh: libssh2 lacks {}", names);
  }
  std::string last_error() {
    char* text = nullptr;
    libssh2_session_last_error(ssh, &text, nullptr, 0);
    return text ? text : "unknown error";
  }
  std::string how_gone() const {
    return context.wire.error()
               ? Error::from_errno(context.wire.error(), "connection lost").message()
               : "the guest closed the connection";
  }
  std::string where() const { return fmt::format("{}:{}", endpoint.address, endpoint.port); }

  enum class Wait { done, gone, late };
  // Calls `step` until it has something to say (not EAGAIN), `seen` after each.
  template <typename Step, typename Seen>
  Wait drive(int& result, const Deadline& deadline, Step step, Seen seen) {
    for (;;) {
      context.wire.begin_round();
      result = step();
      context.wire.flush();
      seen();
      if (result != LIBSSH2_ERROR_EAGAIN) return Wait::done;
      if (context.wire.gone()) return Wait::gone;
      if (deadline.has_passed() || !context.wire.wait(deadline)) return Wait::late;
    }
  }
  // The same, for what a session that is open is asked.
  template <typename Step>
  void ask(std::string_view what, const Deadline& deadline, Step step) {
    int result = 0;
    switch (drive(result, deadline, step, [] {})) {
    case Wait::done:
      break;
    case Wait::gone:
      throw Error(Code::unreachable, fmt::format("cannot {} at {}: {}", what, where(), how_gone()));
    case Wait::late:
      throw timed_out("cannot {} at {}: no answer in time", what, where());
    }
    if (result != 0) throw failed("cannot {} at {}: {}", what, where(), last_error());
  }

  std::optional<Failure> handshake(const Deadline& deadline, const OnStage& on_stage);
  std::optional<Failure> log_in(const Deadline& deadline);
  bool read_into(OutStream& stream, int id, const std::string& name);
  bool write_from(InStream& stream, bool& eof_sent);
  void move_streams(InStream& in, OutStream& out, OutStream& err, const Deadline& deadline);
  int exit_status();
};

std::optional<Session::Failure> Session::Impl::handshake(const Deadline& deadline,
                                                         const OnStage& on_stage) {
  std::string pinned = parse_public_line(endpoint.host_key);
  bool banner_seen = false;
  int result = 0;
  auto wait = drive(
      result, deadline,
      [&] {
        if (context.wire.received() > handshake_limit) return LIBSSH2_ERROR_OUT_OF_BOUNDARY;
        return libssh2_session_handshake(ssh, context.wire.fd());
      },
      [&] {
        if (banner_seen || context.wire.first_line().empty()) return;
        banner_seen = true;
        if (on_stage) on_stage(Stage::banner, escape_for_terminal(context.wire.first_line()));
      });
  if (wait == Wait::gone) return Failure{Stage::closed, how_gone()};
  if (wait == Wait::late)
    return Failure{banner_seen ? Stage::banner : Stage::no_answer, "no answer in time"};
  if (result != 0) return Failure{Stage::banner, last_error()};

  size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(ssh, &size, &type);
  if (!key || std::string_view(key, size) != pinned)
    return Failure{Stage::mismatch, "the server there has another host key"};
  if (on_stage) on_stage(Stage::auth, {});
  return {};
}

std::optional<Session::Failure> Session::Impl::log_in(const Deadline& deadline) {
  std::string blob = public_blob(context.key);
  void* abstract = &context;
  int result = 0;
  auto wait = drive(
      result, deadline,
      [&] {
        return libssh2_userauth_publickey(ssh, endpoint.user.c_str(),
                                          reinterpret_cast<const unsigned char*>(blob.data()),
                                          blob.size(), sign_with_key, &abstract);
      },
      [] {});
  if (wait == Wait::late) return Failure{Stage::auth, "no answer to the login in time"};
  if (wait == Wait::gone) return Failure{Stage::refused, how_gone()};
  if (result != 0) return Failure{Stage::refused, last_error()};
  return {};
}

bool Session::Impl::read_into(OutStream& stream, int id, const std::string& name) {
  if (stream.room() == 0) return false;
  std::array<char, 32768> block;
  auto n =
      libssh2_channel_read_ex(channel, id, block.data(), std::min(block.size(), stream.room()));
  if (n > 0) stream.put(std::string_view(block.data(), static_cast<size_t>(n)));
  if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
    throw Error(Code::unreachable,
                fmt::format("cannot read {} from {}: {}", name, where(), last_error()));
  return n > 0;
}

bool Session::Impl::write_from(InStream& stream, bool& eof_sent) {
  // A peer that does not read keeps us here, not in memory.
  if (eof_sent || context.wire.pending() > window_size / 8) return false;
  if (stream.done()) {
    int result = libssh2_channel_send_eof(channel);
    eof_sent = result == 0;
    return eof_sent;
  }
  auto bytes = stream.waiting();
  if (bytes.empty()) return false;
  auto n = libssh2_channel_write_ex(channel, 0, bytes.data(), bytes.size());
  if (n > 0) stream.consume(static_cast<size_t>(n));
  if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
    throw Error(Code::unreachable,
                fmt::format("cannot write standard input to {}: {}", where(), last_error()));
  return n > 0;
}

void Session::Impl::move_streams(InStream& in, OutStream& out, OutStream& err,
                                 const Deadline& deadline) {
  bool eof_sent = false;
  for (;;) {
    context.wire.begin_round();
    bool moved = read_into(out, 0, "standard output");
    moved |= read_into(err, SSH_EXTENDED_DATA_STDERR, "standard error");
    moved |= write_from(in, eof_sent);
    // Asked only once nothing more is to be had: data before the end must not be lost.
    bool closed =
        !moved && libssh2_channel_eof(channel) == 1 && libssh2_channel_wait_closed(channel) == 0;
    if (closed) in.stop();
    context.wire.flush();
    // Room made here is for what libssh2 may hold already, which poll does not tell of.
    moved |= out.write_some();
    moved |= err.write_some();
    if (closed && out.empty() && err.empty()) return;
    if (context.wire.gone() && !moved && !closed && out.empty() && err.empty())
      throw Error(Code::unreachable,
                  fmt::format("lost the connection to {}: {}", where(), how_gone()));

    bool reading = !closed && (out.room() > 0 || err.room() > 0 || !in.waiting().empty());
    std::array<pollfd, 4> polled{{{context.wire.fd(), context.wire.events(reading), 0},
                                  {closed ? -1 : in.poll_fd(), POLLIN, 0},
                                  {out.poll_fd(), POLLOUT, 0},
                                  {err.poll_fd(), POLLOUT, 0}}};
    // A peer that is gone is announced whatever is asked for.
    if (context.wire.gone()) polled[0].fd = -1;
    if (deadline.has_passed()) throw timed_out("the command at {} did not end in time", where());
    if (::poll(polled.data(), polled.size(), moved ? 0 : deadline.poll_ms()) < 0 && errno != EINTR)
      throw sys_error(errno, "cannot poll");
    if (polled[1].revents) in.read_some();
  }
}

int Session::Impl::exit_status() {
  char* name = nullptr;
  size_t size = 0;
  if (libssh2_channel_get_exit_signal(channel, &name, &size, nullptr, nullptr, nullptr, nullptr) ==
          0 &&
      name) {
    int status = 128 + signal_number({name, size});
    libssh2_free(ssh, name);
    return status;
  }
  return libssh2_channel_get_exit_status(channel) & 0xff;
}

std::expected<Session, Session::Failure> Session::open(Fd socket, const Endpoint& endpoint,
                                                       const Deadline& deadline,
                                                       const OnStage& on_stage) {
  auto impl = std::make_unique<Impl>(std::move(socket), endpoint);
  if (auto failure = impl->handshake(deadline, on_stage)) return std::unexpected(*failure);
  if (auto failure = impl->log_in(deadline)) return std::unexpected(*failure);
  return Session(std::move(impl));
}

Session Session::connect(const Endpoint& endpoint, const Deadline& deadline) {
  auto connecting = begin_connect(endpoint.address, endpoint.port);
  int error = connecting.error;
  if (error == EINPROGRESS) {
    pollfd p{connecting.socket.get(), POLLOUT, 0};
    int n = 0;
    do n = ::poll(&p, 1, deadline.poll_ms());
    while (n < 0 && errno == EINTR);
    error = n == 1 ? connect_error(connecting.socket.get()) : ETIMEDOUT;
  }
  if (error)
    throw Failure{Stage::closed, Error::from_errno(error, "no connection").message()}.error(
        endpoint);
  auto session = open(std::move(connecting.socket), endpoint, deadline);
  if (!session) throw session.error().error(endpoint);
  return std::move(*session);
}

Outcome Session::run(const std::string& command, const Streams& streams, const Deadline& deadline) {
  Impl& s = *impl_;
  s.ask("open a channel", deadline, [&] {
    s.channel = libssh2_channel_open_ex(s.ssh, "session", 7, window_size, packet_size, nullptr, 0);
    return s.channel ? 0 : libssh2_session_last_errno(s.ssh);
  });
  s.ask("start a command", deadline, [&] {
    return libssh2_channel_process_startup(s.channel, "exec", 4, command.data(),
                                           static_cast<unsigned>(command.size()));
  });
  InStream in(streams.in);
  OutStream out(streams.out, "standard output", streams.keep);
  OutStream err(streams.err, "standard error", streams.keep);
  s.move_streams(in, out, err, deadline);
  Outcome outcome{s.exit_status(), out.tail() + err.tail()};
  // So that the server's log says that we left on purpose.
  libssh2_session_disconnect(s.ssh, "done");
  s.context.wire.flush();
  return outcome;
}

Error Session::Failure::error(const Endpoint& endpoint) const {
  std::string where = fmt::format("{}:{}", endpoint.address, endpoint.port);
  switch (stage) {
  case Stage::mismatch:
    return failed("cannot trust the ssh server at {}: {}", where, detail)
        .hint("something else listens there, or the guest's host key was replaced");
  case Stage::refused:
    return failed("cannot log in as '{}' at {}: {}", endpoint.user, where, detail)
        .hint(fmt::format("the guest must have {}.pub in its authorized_keys", endpoint.identity));
  default:
    return Error(Code::unreachable,
                 fmt::format("cannot reach the ssh server at {}: {}", where, detail));
  }
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

} // namespace banger::guest
