#include "guest/tree/remote_pipe.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>

#include "core/error.h"

namespace banger::guest {

namespace {

constexpr size_t kept = 4096, longest_line = 64 << 10;

} // namespace

RemotePipe::RemotePipe(Session session, const std::string& command, int signals)
    : session_(std::move(session)), channel_(Channel::command(session_, command)),
      signals_(signals) {
  for (;;) {
    begin_round();
    bool open = channel_.advance();
    session_.flush();
    if (open) return;
    wait();
  }
}

void RemotePipe::begin_round() {
  pollfd polled{signals_, POLLIN, 0};
  if (::poll(&polled, 1, 0) > 0) throw Interrupted();
  session_.begin_round();
}

// A signal that comes meanwhile is for the next round.
void RemotePipe::wait() {
  if (session_.heard()) return;
  if (session_.gone()) throw session_.lost();
  std::array<pollfd, 2> polled{{session_.poll_for(true), {signals_, POLLIN, 0}}};
  if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR)
    throw sys_error(errno, "cannot poll");
}

void RemotePipe::take_complaint() {
  std::array<char, 4096> block;
  while (size_t n = channel_.read(Channel::Output::err, block)) {
    complaint_.append(block.data(), n);
    if (complaint_.size() > kept) complaint_.erase(0, complaint_.size() - kept);
  }
}

size_t RemotePipe::take(std::span<char> buffer) {
  size_t n = channel_.read(Channel::Output::out, buffer);
  take_complaint();
  return n;
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
    session_.flush();
    if (n > 0 || ended) return n;
    wait();
  }
}

std::string RemotePipe::read_line() {
  std::string line;
  std::array<char, 4096> block;
  for (;;) {
    size_t n = read(block);
    if (n == 0) throw failed("the guest said nothing");
    line.append(block.data(), n);
    if (auto end = line.find('\n'); end != std::string::npos) {
      line_.insert(0, line.substr(end + 1));
      line.resize(end);
      return line;
    }
    if (line.size() > longest_line) throw failed("the guest said something else");
  }
}

bool RemotePipe::write(std::string_view bytes) {
  while (!bytes.empty()) {
    begin_round();
    std::array<char, 4096> dropped;
    bool some = take(dropped) > 0;
    // A command that has ended reads nothing more.
    if (!some && channel_.ended()) return false;
    size_t n = channel_.write(bytes);
    bytes.remove_prefix(n);
    session_.flush();
    if (n == 0 && !some) wait();
  }
  return true;
}

int RemotePipe::finish() {
  line_.clear();
  for (;;) {
    begin_round();
    if (!eof_sent_) eof_sent_ = channel_.send_eof();
    std::array<char, 32768> dropped;
    bool some = take(dropped) > 0;
    bool closed = !some && channel_.closed();
    session_.flush();
    if (closed) break;
    if (!some) wait();
  }
  int status = channel_.status();
  session_.leave();
  return status;
}

} // namespace banger::guest
