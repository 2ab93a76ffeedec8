// Runs one of banger's own programs, which does one thing for a monitor and writes one line. It is
// started at once, awaited on the loop with a deadline, and ended with this object.
//
// Work that blocks by its nature (making a key, waiting for net.lock, starting slirp4netns) is done
// in such a program and not in the monitor: the loop goes on, and a program can be killed at any
// point, which no thread can. The next program that finds half-done work finishes or undoes it; the
// walks of the failpoints hold that.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/units.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/process.h"

namespace banger::ops {

class Helper {
public:
  using Answer = std::function<void(std::expected<std::string, Error>)>;

  // `input` is a line for its standard input; its error output goes to `errors`. `answer` is called
  // once, from the loop, and may destroy this: with its line, or Error(failed) when it ended
  // without one, Error(timeout) when `patience` passed. Throws where it cannot be started.
  Helper(sys::Loop& loop, const sys::Command& command, const std::string& input, int errors,
         Millis patience, Answer answer);
  // Kills it and reaps it.
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

private:
  void on_output();
  void tell(std::expected<std::string, Error> what);

  sys::Loop& loop_;
  std::string name_;
  Fd link_;
  sys::Child child_;
  sys::LineReader lines_;
  Answer answer_;
  sys::Loop::Timer deadline_;
};

} // namespace banger::ops
