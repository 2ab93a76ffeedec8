#include "guest/boot/console.h"

#include "core/text.h"

namespace banger::guest {

namespace {

constexpr size_t longest_line = 4096;

// The text behind `marker`, which may be anywhere in `text`: the kernel puts a time stamp before
// its own lines, and a login prompt may come before any line.
std::optional<std::string_view> after(std::string_view text, std::string_view marker) {
  size_t at = text.find(marker);
  if (at == std::string_view::npos) return {};
  return text.substr(at + marker.size());
}

} // namespace

void ConsoleReader::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!any_) {
    any_ = true;
    callback_(ConsoleSign::first_byte, {});
  }
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view piece = bytes.substr(0, end);
    size_t room = longest_line - partial_.size();
    partial_.append(piece.substr(0, room));
    if (end == std::string_view::npos) return;
    line(trim(partial_));
    partial_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void ConsoleReader::line(std::string_view text) {
  if (auto rest = after(text, "banger-init: ")) {
    if (rest->starts_with("failed at ")) {
      callback_(ConsoleSign::init_failed, std::string(rest->substr(10)));
    } else {
      callback_(ConsoleSign::init_stage, std::string(rest->substr(0, rest->find(' '))));
    }
  } else if (auto why = after(text, "Kernel panic - not syncing: ")) {
    callback_(ConsoleSign::panic, std::string(*why));
  } else if (after(text, "reboot: Restarting system")) {
    callback_(ConsoleSign::restarting, {});
  } else if (after(text, "reboot: Power down")) {
    callback_(ConsoleSign::power_down, {});
  } else if (after(text, "reboot: System halted")) {
    callback_(ConsoleSign::halted, {});
  }
}

} // namespace banger::guest
