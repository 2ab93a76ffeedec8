// Datagrams taken and answered many at a time: a server then pays a part of two system calls for
// each that comes, not two.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "sys/datagram.h"

namespace banger::sys {

class DatagramBatch {
public:
  static constexpr size_t most = 64, longest = 1280;

  DatagramBatch();
  ~DatagramBatch();
  DatagramBatch(const DatagramBatch&) = delete;
  DatagramBatch& operator=(const DatagramBatch&) = delete;

  // Takes what is at `fd` now, and how many that are; never waits. Forgets what it took before.
  size_t receive(int fd);
  // One of them, as long as no other was received. Of one that is longer than `longest` the rest is
  // lost.
  std::string_view datagram(size_t i) const;
  bool is_cut(size_t i) const;
  // The sender, for an answer later (send_datagram).
  UdpPeer peer(size_t i) const;
  // The reply to datagram `i`: send() sends it back to its sender, from the address that it was
  // sent to. An empty one is not sent.
  std::string& answer(size_t i) { return answers_[i]; }
  // Sends the answers now. One that cannot be sent is lost, as datagrams may be.
  void send(int fd);

private:
  struct Messages;
  std::unique_ptr<Messages> messages_;
  std::array<std::string, most> answers_;
  size_t count_ = 0;
};

} // namespace banger::sys
