#include "cli/terminal_text.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace banger::cli {

namespace {

// How many bytes at the end of `text` may be the beginning of something longer: of a character of
// several bytes, or of a carriage return with its newline.
size_t unfinished(std::string_view text) {
  if (text.ends_with('\r')) return 1;
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); back++) {
    auto c = static_cast<unsigned char>(text[text.size() - back]);
    if (c < 0x80) return 0;
    if ((c & 0xc0) == 0x80) continue; // one that follows
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

} // namespace

std::string TerminalText::feed(std::string_view piece) {
  held_ += piece;
  size_t keep = unfinished(held_);
  std::string whole = held_.substr(0, held_.size() - keep);
  held_.erase(0, whole.size());
  return escape_for_terminal(whole);
}

std::string TerminalText::rest() { return escape_for_terminal(std::exchange(held_, {})); }

} // namespace banger::cli
