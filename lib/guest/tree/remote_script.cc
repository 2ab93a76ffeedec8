#include "guest/tree/remote_script.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/random.h>

#include "core/text.h"
#include "guest/tree/remote_scripts.h"

namespace banger::guest {

std::string script(std::initializer_list<std::string_view> parts,
                   const std::vector<std::string>& words) {
  std::string text(scripts::common);
  for (auto part : parts) text += part;
  std::string command = "exec /bin/sh -c " + shell_quote(text) + " sh";
  for (const auto& word : words) command += " " + shell_quote(word);
  return command;
}

std::string new_mark() {
  std::array<unsigned char, 12> random;
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw sys_error(errno, "cannot get random bytes");
  std::string mark = "banger-";
  for (unsigned char c : random) mark += fmt::format("{:02x}", c);
  return mark;
}

namespace {

// What programs in the guest said, as one line. What a script says itself comes last, and says it
// better than tar before it; tar's own last line says nothing.
std::string reason(std::string_view complaint) {
  std::vector<std::string> lines;
  for (const std::string& line : split(complaint, '\n')) {
    std::string text(trim(line));
    if (text.empty() || text.find("xiting with failure status") != text.npos ||
        text.find("not recoverable: exiting") != text.npos)
      continue;
    if (!text.starts_with("tar: "))
      std::erase_if(lines, [](const std::string& l) { return l.starts_with("tar: "); });
    lines.push_back(std::move(text));
  }
  if (lines.size() > 2) lines.erase(lines.begin(), lines.end() - 2);
  return escape_for_terminal(join(lines, "; "));
}

} // namespace

Error refused(std::string_view doing, const std::string& place, int status,
              const RemotePipe& pipe) {
  const std::string path = place.empty() ? "~" : place; // the home directory
  std::string why = reason(pipe.complaint());
  if (why.empty()) why = fmt::format("the guest's tar gave status {}", status);
  std::string message = fmt::format("cannot {} '{}' in the guest: {}", doing, path, why);
  switch (status) {
  case 101:
    return Error(Code::failed, message).hint("directories are copied with -r");
  case 102: // where -r is no help
    return sys_error(EISDIR, "cannot {} '{}' in the guest", doing, path);
  case 103:
    return Error(Code::not_found, message);
  case 105:
    return Error(Code::preflight, message).hint("install tar in the guest");
  default:
    return Error(Code::failed, message);
  }
}

std::vector<std::string> begin_script(RemotePipe& pipe, const std::string& mark,
                                      std::string_view doing, const std::string& path) {
  size_t heard = 0;
  for (;;) {
    auto line = pipe.read_line();
    if (!line) {
      int status = pipe.finish();
      throw refused(doing, path, status, pipe);
    }
    if (line->starts_with(mark)) {
      auto words = split(line->substr(std::min(line->size(), mark.size() + 1)), ' ');
      if (words.size() == 2) return words;
    }
    heard += line->size() + 1;
    if (heard > (size_t{64} << 10))
      throw failed("cannot {} '{}': the guest's shell says something else", doing, path);
  }
}

std::string printf_escaped(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c == '\n')
      out += "\\0012";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

} // namespace banger::guest
