// A command in a guest whose input and output are this program's own: read and written by calls
// that wait. What it says on standard error is kept for errors.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "guest/ssh/channel.h"
#include "guest/ssh/session.h"

namespace banger::guest {

// A signal came (sys/signals.h): to be unwound to where the signals are let go, where it takes
// effect.
struct Interrupted : Error {
  Interrupted() : Error(Code::failed, "interrupted") {}
};

class RemotePipe {
public:
  // `signals` is looked at in each round, whether this waits or not (-1: none), so that no guest
  // that goes on and on keeps a signal waiting.
  RemotePipe(Session session, const std::string& command, int signals);

  // Waits for output; 0 at its end. Throws Interrupted, or Error(unreachable).
  size_t read(std::span<char> buffer);
  // The next line of output without its newline; Error(failed) if it is longer than 64 KiB or the
  // output ends before. What follows stays for read.
  std::string read_line();
  // Waits until the guest takes it. False when it takes no more: finish tells why. Throws as read.
  bool write(std::string_view bytes);
  // Ends the input, waits for the end of the command; its output is dropped. Returns its status.
  // Throws as read.
  int finish();
  // The last of what it said on standard error, as it came; at most 4 KiB.
  const std::string& complaint() const { return complaint_; }

private:
  size_t take(std::span<char> buffer);
  void take_complaint();
  void begin_round();
  void wait();

  Session session_;
  Channel channel_;
  int signals_;
  std::string line_; // read ahead for read_line
  std::string complaint_;
  bool eof_sent_ = false;
};

} // namespace banger::guest
