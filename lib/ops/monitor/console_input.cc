#include "ops/monitor/console_input.h"

#include <fcntl.h>

#include "core/error.h"
#include "sys/own_file.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {
constexpr size_t much = size_t{64} << 10;
}

ConsoleInput::ConsoleInput(sys::Loop& loop, const vmm::SerialLine& line,
                           const std::string& runtime_dir, std::function<void()> on_room)
    : loop_(loop), kind_(line.kind), path_(runtime_dir + "/" + line.file),
      on_room_(std::move(on_room)) {}

ConsoleInput::~ConsoleInput() { close(); }

bool ConsoleInput::open() {
  if (fd_) return true;
  if (kind_ == vmm::SerialLine::Kind::stdio) {
    // Open for reading too: a FIFO that has no reader yet cannot be opened else.
    auto fifo = sys::find_own(path_, sys::OwnKind::fifo, O_RDWR | O_NONBLOCK);
    if (!fifo) return false;
    fd_ = std::move(*fifo);
  } else {
    try {
      fd_ = sys::connect_unix(path_, Millis(100));
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
      return false;
    }
    loop_.watch(fd_.get(), [this] {
      if (!sys::discard(fd_.get())) close();
    });
  }
  out_ = std::make_unique<sys::Outbox>(loop_, fd_.get(), [this] { look_for_room(); });
  return true;
}

bool ConsoleInput::send(std::string_view bytes) {
  if (!open()) return true;
  if (!out_->send(bytes)) {
    close(); // the VMM ended; bytes that were typed for it are not for the next one
    return true;
  }
  paused_ = out_->waiting() > much;
  return !paused_;
}

void ConsoleInput::look_for_room() {
  if (!paused_ || (out_ && out_->waiting() > much / 2)) return;
  paused_ = false;
  on_room_();
}

void ConsoleInput::close() {
  if (!fd_) return;
  loop_.forget(fd_.get());
  out_.reset();
  fd_.reset();
  look_for_room();
}

} // namespace banger::ops
