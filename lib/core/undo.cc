#include "core/undo.h"

namespace banger {

void Undo::run() noexcept {
  while (!steps_.empty()) {
    auto [step, action] = std::move(steps_.back());
    steps_.pop_back();
    try {
      action();
    } catch (const std::exception& e) {
      if (on_error_) on_error_(step, e);
    }
  }
}

} // namespace banger
