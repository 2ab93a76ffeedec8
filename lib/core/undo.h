// A stack of undo steps for an operation that makes several things.
//
// Each thing made pushes its own undo at once. Unless dismiss() was called, the destructor runs
// them in reverse; one that throws never stops the next (what it threw goes to `on_error`, which
// must not throw). Not thread safe.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace banger {

class Undo {
public:
  using OnError = std::function<void(const std::string& step, const std::exception&)>;
  explicit Undo(OnError on_error = {}) : on_error_(std::move(on_error)) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() { run(); }

  // What `action` refers to must have been made before the Undo; what came later is captured by
  // value, for it is gone when the steps run.
  void push(std::string step, std::function<void()> action) {
    steps_.emplace_back(std::move(step), std::move(action));
  }
  // The operation is complete: nothing is undone.
  void dismiss() { steps_.clear(); }
  // Undoes now. Safe to call twice.
  void run() noexcept;

private:
  OnError on_error_;
  std::vector<std::pair<std::string, std::function<void()>>> steps_;
};

} // namespace banger
