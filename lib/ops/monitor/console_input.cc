#include "ops/monitor/console_input.h"

#include "core/error.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {
constexpr size_t much = size_t{64} << 10;
}

ConsoleInput::ConsoleInput(sys::Loop& loop, std::string socket, std::function<void()> on_room)
    : loop_(loop), socket_(std::move(socket)), on_room_(std::move(on_room)) {}

ConsoleInput::~ConsoleInput() { close(); }

bool ConsoleInput::send(std::string_view bytes) {
  if (!fd_) {
    try {
      fd_ = sys::connect_unix(socket_);
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
      return true;
    }
    sys::set_nonblocking(fd_.get());
    loop_.watch(fd_.get(), [this] { drain(); });
  }
  waiting_ += bytes;
  flush();
  paused_ = waiting_.size() > much;
  return !paused_;
}

void ConsoleInput::flush() {
  try {
    waiting_.erase(0, sys::send_some(fd_.get(), waiting_));
  } catch (const Error&) {
    return close(); // the VMM ended; what was typed for it is of no use to another
  }
  if (waiting_.empty())
    loop_.forget_writable(fd_.get());
  else
    loop_.watch_writable(fd_.get(), [this] { flush(); });
  if (paused_ && waiting_.size() <= much / 2) {
    paused_ = false;
    on_room_();
  }
}

void ConsoleInput::drain() {
  if (!sys::discard(fd_.get())) close();
}

void ConsoleInput::close() {
  if (!fd_) return;
  loop_.forget(fd_.get());
  loop_.forget_writable(fd_.get());
  fd_.reset();
  waiting_.clear();
  if (paused_) {
    paused_ = false;
    on_room_();
  }
}

} // namespace banger::ops
