#include "guest/ssh/session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>

#include "core/text.h"
#include "guest/identity/keygen.h"
#include "guest/ssh/session_impl.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace banger::guest {

namespace {

constexpr size_t memory_limit = size_t{32} << 20;
// The most that a server may send before it is trusted: banner, key exchange, login are a few KiB.
constexpr uint64_t handshake_limit = uint64_t{1} << 20;

SshContext& context(void** abstract) { return *static_cast<SshContext*>(*abstract); }

// Zeroed, because libssh2 1.10 reads the name of an exit signal that a guest announced longer than
// it sent; bounded, because libssh2 keeps packets that were not asked for.
LIBSSH2_ALLOC_FUNC(allocate) {
  SshContext& c = context(abstract);
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
  SshContext& c = context(abstract);
  size_t before = ptr ? ::malloc_usable_size(ptr) : 0;
  if (count > memory_limit - std::min(memory_limit, c.allocated - before)) return nullptr;
  void* p = std::realloc(ptr, count);
  if (p) c.allocated += ::malloc_usable_size(p) - before;
  return p;
}
LIBSSH2_SEND_FUNC(send_through) {
  (void)socket, (void)flags;
  return context(abstract).transport.send(buffer, length);
}
LIBSSH2_RECV_FUNC(receive_through) {
  (void)socket, (void)flags;
  return context(abstract).transport.receive(buffer, length);
}
LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign_with_key) {
  (void)session;
  try {
    SshContext& c = context(abstract);
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

} // namespace

Session::Impl::Impl(Fd socket, const Endpoint& e, SessionEnds what_ends)
    : endpoint(e), context{Transport(std::move(socket)),
                           parse_openssh_private(sys::read_file(e.identity, size_t{64} << 10))},
      ends(std::move(what_ends)) {
  prepare_crypto();
  ssh = libssh2_session_init_ex(allocate, deallocate, reallocate, &context);
  if (!ssh) throw failed("cannot start ssh: out of memory");
  libssh2_session_set_blocking(ssh, 0);
  auto set_callback = [&](int which, auto function) {
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(ssh, which, reinterpret_cast<libssh2_cb_generic*>(function));
#else
    libssh2_session_callback_set(ssh, which, reinterpret_cast<void*>(function));
#endif
  };
  set_callback(LIBSSH2_CALLBACK_SEND, send_through);
  set_callback(LIBSSH2_CALLBACK_RECV, receive_through);
  // The algorithms that cost a guest least, and are in every server that banger's guests run.
  prefer(LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org");
  prefer(LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519");
  for (int direction : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC})
    prefer(direction, "aes128-ctr,aes256-ctr");
  for (int direction : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC})
    prefer(direction, "hmac-sha2-256");
}

Session::Impl::~Impl() {
  // libssh2 would wait for the peer's word on each open channel, and leak if it may not.
  context.transport.abandon();
  libssh2_session_free(ssh);
}

void Session::Impl::prefer(int method, const char* names) {
  if (libssh2_session_method_pref(ssh, method, names) != 0)
    throw failed("cannot start ssh: libssh2 lacks {}", names);
}

void Session::Impl::begin_round() {
  // Bytes that the guest sent before its end may still be on their way to here.
  constexpr Millis quiet{100}, at_most{1000};
  context.transport.begin_round();
  if (!ends.peer || context.transport.gone()) return;
  if (!peer_ended) {
    if (!sys::is_readable(ends.peer.get())) return;
    peer_ended = steady_now();
  }
  bool may_come = (steady_now() - *peer_ended) < at_most;
  if (may_come && sys::wait_readable(context.transport.fd(), quiet)) return;
  context.transport.cut();
}

bool Session::Impl::wait(const Deadline& deadline) const {
  std::array<pollfd, 3> polled{{{context.transport.fd(), context.transport.events(true), 0},
                                {peer_ended ? -1 : ends.peer.get(), POLLIN, 0},
                                {ends.signals, POLLIN, 0}}};
  size_t n = sys::wait_any(polled, deadline);
  if (polled[2].revents) throw Interrupted();
  return n != 0;
}

std::optional<Session::Failure> Session::Impl::handshake(const Deadline& deadline,
                                                         const OnStage& on_stage) {
  std::string pinned = parse_public_line(endpoint.host_key);
  bool banner_seen = false;
  int result = 0;
  auto wait = drive(
      result, deadline,
      [&] {
        if (context.transport.received() > handshake_limit) return LIBSSH2_ERROR_OUT_OF_BOUNDARY;
        return libssh2_session_handshake(ssh, context.transport.fd());
      },
      [&] {
        if (banner_seen || context.transport.first_line().empty()) return;
        banner_seen = true;
        if (on_stage) on_stage(Stage::banner, escape_for_terminal(context.transport.first_line()));
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

std::expected<Session, Session::Failure> Session::open(Fd socket, const Endpoint& endpoint,
                                                       const Deadline& deadline,
                                                       const OnStage& on_stage, SessionEnds ends) {
  auto begun = steady_now();
  auto impl = std::make_unique<Impl>(std::move(socket), endpoint, std::move(ends));
  if (auto failure = impl->handshake(deadline, on_stage)) return std::unexpected(*failure);
  if (auto failure = impl->log_in(deadline)) return std::unexpected(*failure);
  impl->login = std::chrono::ceil<Millis>(steady_now() - begun);
  return Session(std::move(impl));
}

namespace {

// Waits for `socket` (POLLOUT, -1: nothing), at most `ms`; true if that came. Throws when one of
// `ends` comes.
bool wait_for(int socket, int ms, const SessionEnds& ends, const Endpoint& endpoint) {
  std::array<pollfd, 3> polled{
      {{socket, POLLOUT, 0}, {ends.peer.get(), POLLIN, 0}, {ends.signals, POLLIN, 0}}};
  sys::wait_any(polled, ms);
  if (polled[2].revents) throw Interrupted();
  if (polled[1].revents) throw Session::Failure{Stage::closed, "the VM has ended"}.error(endpoint);
  return polled[0].revents != 0;
}

Fd connected(const Endpoint& endpoint, const Deadline& deadline, const SessionEnds& ends) {
  auto connecting = begin_connect(endpoint.address, endpoint.port);
  int error = connecting.error;
  if (error == EINPROGRESS)
    error = wait_for(connecting.socket.get(), deadline.poll_ms(), ends, endpoint)
                ? connect_error(connecting.socket.get())
                : ETIMEDOUT;
  if (error)
    throw Session::Failure{Stage::closed, Error::from_errno(error, "no connection").message()}
        .error(endpoint);
  return std::move(connecting.socket);
}

SessionEnds another(const SessionEnds& ends) {
  Fd peer(ends.peer ? ::fcntl(ends.peer.get(), F_DUPFD_CLOEXEC, 3) : -1);
  return {std::move(peer), ends.signals};
}

} // namespace

Session Session::connect(const Endpoint& endpoint, const Deadline& deadline, Millis patience,
                         SessionEnds ends) {
  SteadyTime begun = steady_now();
  for (Millis pause{50};; pause = std::min(pause * 2, Millis(500))) {
    auto session = open(connected(endpoint, deadline, ends), endpoint, deadline, {}, another(ends));
    if (session) return std::move(*session);
    if (session.error().stage != Stage::closed || steady_now() - begun + pause > patience)
      throw session.error().error(endpoint);
    // Nothing tells when the server has room again.
    wait_for(-1, static_cast<int>(pause.count()), ends, endpoint);
  }
}

void Session::begin_round() { impl_->begin_round(); }
void Session::flush() { impl_->context.transport.flush(); }
bool Session::heard() const {
  // A machine that has ended says no more when its last words are to be taken.
  return impl_->context.transport.heard() || (impl_->peer_ended && !gone());
}
bool Session::gone() const { return impl_->context.transport.gone(); }
Error Session::lost() const { return impl_->lost(); }
std::string Session::where() const { return impl_->where(); }
Millis Session::login_time() const { return impl_->login; }

std::array<pollfd, 2> Session::poll_for(bool reading) const {
  const Transport& transport = impl_->context.transport;
  // A peer that is gone is announced whatever is asked for.
  if (transport.gone()) return {{{-1, 0, 0}, {-1, 0, 0}}};
  return {{{transport.fd(), transport.events(reading), 0},
           {impl_->peer_ended ? -1 : impl_->ends.peer.get(), POLLIN, 0}}};
}

void Session::ask_for_answer() {
  int next = 0;
  libssh2_keepalive_config(impl_->ssh, 1, 2);
  libssh2_keepalive_send(impl_->ssh, &next);
}

uint64_t Session::heard_bytes() const { return impl_->context.transport.received(); }

void Session::leave() {
  // So that the server's log says that we left on purpose.
  libssh2_session_disconnect(impl_->ssh, "done");
  flush();
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
