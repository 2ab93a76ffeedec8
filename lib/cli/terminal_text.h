// Text of a guest that comes piece by piece, made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace banger::cli {

// core/text.h's escape_for_terminal over a stream: a character that a piece cuts in two is held
// back until the rest of it has come.
class TerminalText {
public:
  std::string feed(std::string_view piece);
  // The bytes that are still held back.
  std::string rest();

private:
  std::string held_;
};

} // namespace banger::cli
