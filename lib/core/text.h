// Small pure functions on text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace banger {

// Splits at every `sep`; "a,,b" gives three parts, "" gives one empty part.
std::vector<std::string> split(std::string_view text, char sep);
std::string join(std::span<const std::string> parts, std::string_view sep);
std::string_view trim(std::string_view text);

// The length of the valid UTF-8 sequence at the front of a text that is not empty; 0: there is
// none.
size_t utf8_length(std::string_view text);
// The code point of one valid sequence.
char32_t code_point(std::string_view sequence);
// Whether a terminal shows one valid sequence as what it is: no control character (C1 among them,
// U+0080..U+009F, which terminals take as escapes) and no bidirectional override, which can make a
// line read as something else.
bool is_shown_safely(std::string_view sequence);

// Text that banger did not write (a guest's console, an error of another program) made safe for a
// terminal: control characters and invalid UTF-8 become \xNN; tab and newline stay, and
// the carriage return that a serial line puts before a newline goes.
std::string escape_for_terminal(std::string_view text);

// Quotes for a POSIX shell, only where needed.
std::string shell_quote(std::string_view word);

// The last `lines` lines of text.
std::string last_lines(std::string_view text, size_t lines);

// The candidate that a mistyped word most likely meant, if any is near enough.
std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates);

} // namespace banger
