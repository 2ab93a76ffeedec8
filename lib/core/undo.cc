#include "core/undo.h"

namespace banger {

void Undo::run() noexcept {
  while (!steps_.empty()) {
    auto [step, action] = std::move(steps_.back());
    steps_.pop_back();
    try {
      action();
    } catch (const std::exception& e) {
      log_.warn("undo.failed", e, {{"step", std::string_view(step)}});
    }
  }
}

} // namespace banger
