// A command in a guest whose input and output are this program's own: read and written by calls
// that wait. Its standard error is kept for errors.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/units.h"
#include "guest/ssh/channel.h"
#include "guest/ssh/session.h"

namespace banger::guest {

class RemotePipe {
public:
  // `signals` is looked at in each round, whether this waits or not (-1: none), so that no guest
  // that goes on and on keeps a signal waiting.
  // Several may follow one another in one session.
  RemotePipe(std::shared_ptr<Session> session, const std::string& command, int signals);

  // Waits for output; 0 at its end. Throws Interrupted, or Error(unreachable).
  size_t read(std::span<char> buffer);
  // The next line of output without its newline; none where the output ends before. Error(failed)
  // for one that is longer than 64 KiB. The bytes after it stay for read.
  std::optional<std::string> read_line();
  // Waits until the guest takes it. False when it takes no more: finish tells why. Throws as read.
  bool write(std::string_view bytes);
  // Says that no more input comes; what the command says from then on can be read.
  void end_input();
  // Ends the input, waits for the end of the command. Returns its status. Throws as read.
  int finish();
  // For a command that shall come to nothing: ends its input and waits until it has ended, so that
  // what it leaves behind is gone, but no longer than `patience`, for no guest that has gone, and
  // for no signal. After finish() there is nothing to do.
  void abandon(Millis patience) noexcept;
  // Output that was not asked for is dropped, while the command is written to and at its end: more
  // of it than this, there or on standard error, is Error(failed). Else a guest that goes on and on
  // would keep this waiting for ever.
  static constexpr size_t most_dropped = size_t{1} << 20, most_complaint = size_t{16} << 20;
  // The last of what it said on standard error, as it came; at most 4 KiB.
  const std::string& complaint() const { return complaint_; }

private:
  size_t take(std::span<char> buffer);
  bool drop();
  void take_complaint();
  void begin_round();
  bool end_round(const Deadline& until);
  void wait(const Deadline& until = Deadline({}));

  std::shared_ptr<Session> session_;
  Channel channel_;
  int signals_;
  size_t dropped_ = 0, complained_ = 0;
  std::string line_; // read ahead for read_line
  std::string complaint_;
  bool eof_sent_ = false, finishes_ = false;
};

} // namespace banger::guest
