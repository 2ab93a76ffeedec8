#include "guest/tree/remote_pipe.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

#include "core/error.h"
#include "core/units.h"
#include "sys/wait.h"

namespace banger::guest {

namespace {

constexpr size_t kept = 4096, longest_line = size_t{64} << 10;

} // namespace

RemotePipe::RemotePipe(std::shared_ptr<Session> session, const std::string& command, int signals)
    : session_(std::move(session)), channel_(Channel::command(*session_, command)),
      signals_(signals) {
  for (;;) {
    begin_round();
    bool open = channel_.advance();
    session_->flush();
    if (open) return;
    wait();
  }
}

void RemotePipe::begin_round() {
  if (sys::is_readable(signals_)) throw Interrupted();
  session_->begin_round();
}

// A signal that comes meanwhile is for the next round.
void RemotePipe::wait(const Deadline& until) {
  if (session_->heard()) return;
  if (session_->gone()) throw session_->lost();
  auto [guest, machine] = session_->poll_for(true);
  std::array<pollfd, 3> polled{{guest, machine, {signals_, POLLIN, 0}}};
  sys::wait_any(polled, until);
}

void RemotePipe::take_complaint() {
  std::array<char, 4096> block;
  while (size_t n = channel_.read(Channel::Output::err, block)) {
    complained_ += n;
    if (complained_ > most_complaint)
      throw failed("the guest complains of more than {}", format_size(most_complaint));
    complaint_.append(block.data(), n);
    if (complaint_.size() > kept) complaint_.erase(0, complaint_.size() - kept);
  }
}

size_t RemotePipe::take(std::span<char> buffer) {
  size_t n = channel_.read(Channel::Output::out, buffer);
  take_complaint();
  return n;
}

bool RemotePipe::drop() {
  std::array<char, 32768> block;
  size_t n = take(block);
  dropped_ += n;
  if (dropped_ > most_dropped)
    throw failed("the guest sends more than {} that nobody asked for", format_size(most_dropped));
  return n > 0;
}

size_t RemotePipe::read(std::span<char> buffer) {
  if (!line_.empty()) {
    size_t n = std::min(buffer.size(), line_.size());
    std::copy_n(line_.begin(), n, buffer.begin());
    line_.erase(0, n);
    return n;
  }
  for (;;) {
    begin_round();
    size_t n = take(buffer);
    bool ended = n == 0 && channel_.ended();
    session_->flush();
    if (n > 0 || ended) return n;
    wait();
  }
}

std::optional<std::string> RemotePipe::read_line() {
  std::string line;
  std::array<char, 4096> block;
  for (;;) {
    size_t n = read(block);
    if (n == 0) return {};
    line.append(block.data(), n);
    if (auto end = line.find('\n'); end != std::string::npos) {
      line_.insert(0, line.substr(end + 1));
      line.resize(end);
      return line;
    }
    if (line.size() > longest_line)
      throw failed("the guest sends a line of more than {}", format_size(longest_line));
  }
}

bool RemotePipe::write(std::string_view bytes) {
  while (!bytes.empty()) {
    begin_round();
    bool some = drop();
    // A command that has ended reads nothing more.
    if (!some && channel_.ended()) return false;
    size_t n = channel_.write(bytes);
    bytes.remove_prefix(n);
    session_->flush();
    if (n == 0 && !some) wait();
  }
  return true;
}

void RemotePipe::end_input() {
  while (!eof_sent_) {
    begin_round();
    eof_sent_ = channel_.send_eof();
    session_->flush();
    if (!eof_sent_) wait();
  }
}

// A round towards the end of the command: whether it has ended.
bool RemotePipe::end_round(const Deadline& until) {
  begin_round();
  if (!eof_sent_) eof_sent_ = channel_.send_eof();
  bool some = drop();
  bool closed = !some && channel_.closed();
  session_->flush();
  if (!closed && !some) wait(until);
  return closed;
}

void RemotePipe::abandon(Millis patience) noexcept {
  if (finishes_) return;
  try {
    Deadline until(patience);
    while (!end_round(until) && !until.has_passed()) {
    }
  } catch (const std::exception&) {
    // It has gone, or there is no time for it.
  }
}

int RemotePipe::finish() {
  finishes_ = true;
  line_.clear();
  while (!end_round(Deadline({}))) {
  }
  int status = channel_.status();
  // Servers allow a few at once.
  for (;;) {
    begin_round();
    bool gone = channel_.close();
    session_->flush();
    if (gone) return status;
    wait();
  }
}

} // namespace banger::guest
