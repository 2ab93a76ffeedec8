// How text for people is laid out. Columns are those of a terminal: a wide character (East Asian,
// most emoji) has two, a combining one none. The text is escaped for the terminal already.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace banger::cli {

size_t width_of(std::string_view text);

// At most `width` columns, at least one. Text loses its end. A single word (a name, a path) loses
// its middle: names that are alike mostly differ at their ends.
std::string cut(std::string_view text, size_t width);
// Loses its end always.
std::string cut_end(std::string_view text, size_t width);

// From now on three dots stand for what was cut: the locale has no '…'.
void use_plain_ellipsis();

// On one line: newlines and tabs become spaces.
std::string on_one_line(std::string text);

// Broken at spaces so that no line is longer than `columns` (0: never); all lines but the first are
// indented. A word that is longer than a line stays whole, so that it can be copied.
std::string wrapped(std::string_view text, size_t columns, size_t indent);

} // namespace banger::cli
