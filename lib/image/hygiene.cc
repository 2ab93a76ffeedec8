#include "image/hygiene.h"

#include <cctype>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::image {

namespace {

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  for (char c : line) {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

bool is_disk(std::string_view what) {
  for (std::string_view tag : {"UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID=", "/dev/"})
    if (what.starts_with(tag)) return true;
  return false;
}

// fstab(5): a blank in a name is \040.
std::string unescaped(std::string_view field) {
  std::string out;
  for (size_t i = 0; i < field.size(); i++) {
    if (field[i] == '\\' && i + 3 < field.size() && field[i + 1] == '0' &&
        (field[i + 2] >= '0' && field[i + 2] <= '7') &&
        (field[i + 3] >= '0' && field[i + 3] <= '7')) {
      out += static_cast<char>((field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

} // namespace

Scrubbed scrub_fstab(std::string_view text) {
  Scrubbed out;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    auto fields = words(line);
    bool disk = fields.size() >= 2 && !fields[0].starts_with('#') && is_disk(fields[0]);
    if (disk) {
      out.text += "# a VM has no such disk: ";
      if (fields[1].starts_with('/') && fields[1] != "/")
        out.places.push_back(unescaped(fields[1]));
    }
    out.text += line;
    out.text += '\n';
  }
  return out;
}

std::string mount_unit(std::string_view place) {
  std::string plain;
  for (const std::string& part : split(place, '/'))
    if (!part.empty()) plain += (plain.empty() ? "" : "/") + part;
  if (plain.empty()) return "-.mount";
  std::string unit;
  for (size_t i = 0; i < plain.size(); i++) {
    auto c = static_cast<unsigned char>(plain[i]);
    if (c == '/')
      unit += '-';
    else if (std::isalnum(c) || c == ':' || c == '_' || (c == '.' && i > 0))
      unit += static_cast<char>(c);
    else
      unit += fmt::format("\\x{:02x}", c);
  }
  return unit + ".mount";
}

bool is_for_a_disk(std::string_view unit_file) {
  for (const std::string& line : split(unit_file, '\n')) {
    std::string_view text = trim(line);
    if (!text.starts_with("What")) continue;
    text = trim(text.substr(4));
    if (text.starts_with('=') && is_disk(trim(text.substr(1)))) return true;
  }
  return false;
}

} // namespace banger::image
