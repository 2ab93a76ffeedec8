#include "cli/subcommand.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::cli {

namespace {

constexpr std::string_view prefix = "banger-";

// The programs in libexec that banger itself starts, and nobody types: 'init' is a guest's.
constexpr std::string_view inner[] = {"enter",   "guest", "helper", "init",
                                      "monitor", "netns", "place",  "resolver"};

bool is_program(const std::string& path) {
  // One that this user may not reach or run is none.
  if (!sys::find_program(path)) return false;
  auto info = sys::find_info(path);
  return info && info->is_file;
}

} // namespace

Subcommands::Subcommands(const Environment& env, const std::string& executable)
    : own_(executable.substr(0, executable.rfind('/'))) {
  libexec_ = own_.substr(0, own_.rfind('/')) + "/libexec/banger";
  for (const std::string& dir : split(env("PATH").value_or(""), ':'))
    if (dir.starts_with('/')) path_.push_back(dir);
}

std::optional<std::string> Subcommands::find(std::string_view name) const {
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  std::vector<std::string> dirs{own_};
  if (std::ranges::find(inner, name) == std::end(inner)) dirs.push_back(libexec_);
  dirs.insert(dirs.end(), path_.begin(), path_.end());
  for (const std::string& dir : dirs) {
    std::string path = fmt::format("{}/{}{}", dir, prefix, name);
    if (is_program(path)) return path;
  }
  return std::nullopt;
}

std::vector<std::string> Subcommands::list() const {
  std::set<std::string> names;
  std::vector<std::string> dirs{own_};
  dirs.insert(dirs.end(), path_.begin(), path_.end());
  for (const std::string& dir : dirs) {
    std::vector<std::string> files;
    try {
      files = sys::list_dir(dir);
    } catch (const Error&) {
      continue; // an entry of PATH that may not be read has nothing for this user
    }
    for (const std::string& file : files)
      if (file.starts_with(prefix) && file.size() > prefix.size() && is_program(dir + "/" + file))
        names.insert(file.substr(prefix.size()));
  }
  return {names.begin(), names.end()};
}

void become(const std::string& path, std::vector<std::string> words) {
  sys::Command command;
  command.argv.push_back(path);
  for (std::string& w : words) command.argv.push_back(std::move(w));
  sys::exec(command, sys::Keep::inherited);
}

} // namespace banger::cli
