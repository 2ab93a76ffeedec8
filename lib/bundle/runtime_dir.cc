#include "bundle/runtime_dir.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include <unistd.h>

#include "core/text.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::bundle {

namespace {

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

bool has_bundle(const std::string& dir) { return sys::exists(dir + "/bundle.json"); }

std::string state_dir(const Dirs& dirs) { return dirs.state + "/bundle"; }

std::string install_dir(const Dirs& dirs) { return absolute(dirs.bin + "/../lib/banger"); }

} // namespace

std::string source_tree(const std::string& bin) {
  // CMake notes in its build directory where the sources are; an installed tree has no such file.
  auto cache = sys::find_content(bin + "/../CMakeCache.txt");
  if (!cache) return {};
  constexpr std::string_view key = "\nCMAKE_HOME_DIRECTORY:INTERNAL=";
  size_t at = cache->find(key);
  if (at == cache->npos) return {};
  at += key.size();
  std::string source(trim(std::string_view(*cache).substr(at, cache->find('\n', at) - at)));
  return sys::exists(source + "/runtime/packages") ? source : std::string();
}

std::vector<std::string> dead_builds(const std::string& dir) {
  std::vector<std::string> found;
  for (const std::string& name : sys::list_dir(dir))
    if (name.starts_with(build_prefix)) found.push_back(dir + "/" + name);
  // A build takes the lock before it makes anything.
  if (!found.empty() && sys::FileLock::is_held(dir + "/" + build_lock)) found.clear();
  return found;
}

RuntimeDir build_dir(const Settings& settings, const Dirs& dirs) {
  if (!settings.runtime_dir.empty()) return {absolute(settings.runtime_dir), "configured"};
  if (std::string source = source_tree(dirs.bin); !source.empty())
    return {source + "/runtime/bundle", "source"};
  return {state_dir(dirs), "state"};
}

std::vector<std::string> build_dirs(const Settings& settings, const Dirs& dirs) {
  std::vector<std::string> all{state_dir(dirs)};
  auto add = [&](const std::string& dir) {
    if (std::ranges::find(all, dir) == all.end()) all.push_back(dir);
  };
  if (!settings.runtime_dir.empty()) add(absolute(settings.runtime_dir));
  if (std::string source = source_tree(dirs.bin); !source.empty()) add(source + "/runtime/bundle");
  if (std::string installed = install_dir(dirs); ::access(installed.c_str(), W_OK) == 0)
    add(installed);
  return all;
}

RuntimeDir runtime_dir(const Settings& settings, const Dirs& dirs) {
  RuntimeDir own = build_dir(settings, dirs);
  if (own.origin != "state" || has_bundle(own.path)) return own;
  std::string installed = install_dir(dirs);
  return has_bundle(installed) ? RuntimeDir{installed, "install"} : own;
}

} // namespace banger::bundle
