#include "core/text.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace banger {

std::vector<std::string> split(std::string_view text, char sep) {
  std::vector<std::string> parts;
  for (;;) {
    size_t end = text.find(sep);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(std::span<const std::string> parts, std::string_view sep) {
  std::string out;
  for (size_t i = 0; i < parts.size(); i++) {
    if (i) out += sep;
    out += parts[i];
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

size_t utf8_length(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned char lead = byte(0);
  size_t len = lead < 0x80                   ? 1
               : lead >= 0xc2 && lead < 0xe0 ? 2
               : lead >= 0xe0 && lead < 0xf0 ? 3
               : lead >= 0xf0 && lead < 0xf5 ? 4
                                             : 0;
  if (len == 0 || len > s.size()) return 0;
  for (size_t i = 1; i < len; i++)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Forms longer than needed, surrogates, and what lies beyond the last code point.
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (lead == 0xed && byte(1) >= 0xa0) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) >= 0x90) return 0;
  return len;
}

char32_t code_point(std::string_view sequence) {
  auto lead = static_cast<unsigned char>(sequence[0]);
  char32_t c = sequence.size() == 1 ? lead : lead & (0x7f >> sequence.size());
  for (char next : sequence.substr(1)) c = c << 6 | (static_cast<unsigned char>(next) & 0x3f);
  return c;
}

bool is_shown_safely(std::string_view sequence) {
  char32_t c = code_point(sequence);
  bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return !control && !turns;
}

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with("\r\n")) text.remove_prefix(1);
    auto c = static_cast<unsigned char>(text[0]);
    size_t len = utf8_length(text);
    if (c == '\n' || c == '\t' || (len > 0 && is_shown_safely(text.substr(0, len)))) {
      out.append(text.substr(0, len));
      text.remove_prefix(len);
    } else {
      out += fmt::format("\\x{:02x}", c);
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string shell_quote(std::string_view word) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("@%+=:,./-_").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  std::string out = "'";
  for (char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string last_lines(std::string_view text, size_t lines) {
  if (lines == 0) return {};
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  size_t at = text.size();
  for (size_t n = 0; n < lines && at != std::string_view::npos; n++)
    at = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates) {
  // Letters added, left out, mistaken, or two exchanged, as fingers do it (the optimal string
  // alignment distance).
  auto distance = [](std::string_view a, std::string_view b) {
    std::vector<size_t> before, last, row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); i++) {
      before = std::exchange(last, row);
      row[0] = i;
      for (size_t j = 1; j <= b.size(); j++) {
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    return row[b.size()];
  };
  std::optional<std::string> best;
  // A third of a word may be wrong: somebody who types 'secret' does not mean 'start'.
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  auto without_digits = [](std::string_view text) {
    std::string rest(text);
    std::erase_if(rest, [](char c) { return c >= '0' && c <= '9'; });
    return rest;
  };
  const std::string bare = without_digits(word);
  for (const std::string& c : candidates) {
    if (without_digits(c) == bare) continue; // a user who types 'web2' does not mean 'web1'
    size_t d = distance(word, c);
    if (!word.empty() && c.starts_with(word)) d = 1;
    if (d < best_distance) best = c, best_distance = d;
  }
  return best;
}

} // namespace banger
