// A stack of undo steps for an operation that makes several things.
//
// Each thing made pushes its own undo at once. Unless dismiss() was called, the destructor runs
// them in reverse; one that throws never stops the next, and what it threw is logged. Not thread
// safe.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"

namespace banger {

class Undo {
public:
  explicit Undo(Log& log) : log_(log) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() { run(); }

  // Objects that `action` refers to must have been made before the Undo. Later ones are captured by
  // value, because they are gone when the steps run.
  void push(std::string step, std::function<void()> action) {
    steps_.emplace_back(std::move(step), std::move(action));
  }
  // The operation is complete: nothing is undone.
  void dismiss() { steps_.clear(); }
  // Undoes now. Safe to call twice.
  void run() noexcept;

private:
  Log& log_;
  std::vector<std::pair<std::string, std::function<void()>>> steps_;
};

} // namespace banger
