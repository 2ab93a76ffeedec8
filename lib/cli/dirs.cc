#include <unistd.h>

#include "cli/config.h"
#include "core/error.h"
#include "sys/file.h"
#include "sys/host_records.h"

namespace banger::cli {

namespace {

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* cwd = ::getcwd(nullptr, 0);
  if (cwd == nullptr) throw sys_error(errno, "cannot find the current directory");
  std::string out = fmt::format("{}/{}", cwd, path);
  ::free(cwd);
  return out;
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The base directory specification: a relative path is invalid and to be ignored.
std::optional<std::string> xdg(const Environment& env, const std::string& name) {
  auto value = env(name);
  if (value && !value->starts_with('/')) value.reset();
  if (value) value = without_trailing_slashes(*value);
  return value;
}

std::string home(const Environment& env) {
  auto value = xdg(env, "HOME");
  if (!value)
    throw preflight("cannot tell where the state lies: HOME is not set")
        .hint("set HOME, or give --state-dir DIR and --config FILE");
  return *value;
}

std::string parent(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

// A directory that pam_systemd makes at login and removes at logout.
bool ends_with_the_session(const std::string& xdg_runtime) {
  return xdg_runtime.starts_with("/run/user/");
}

// Whether /run/user/UID stays when this user logs out. The lingering users are listed by name; a
// USER that is wrong or missing finds none of them, and then the state's own directory serves.
bool lingers(const Environment& env) {
  if (!sys::exists("/run/systemd/system")) return true;
  auto user = env("USER");
  return user && user->find('/') == std::string::npos &&
         sys::exists("/var/lib/systemd/linger/" + *user);
}

std::string runtime_dir(const Environment& env, const std::string& state, bool root) {
  auto given = xdg(env, "XDG_RUNTIME_DIR");
  if (root) {
    if (given && !ends_with_the_session(*given)) return *given + "/banger";
    return sys::host_directory;
  }
  if (!given || (ends_with_the_session(*given) && !lingers(env))) return state + "/run";
  return *given + "/banger";
}

} // namespace

std::string this_executable() {
  auto path = sys::read_link("/proc/self/exe");
  if (!path) throw preflight("cannot find this program's own path: /proc is not mounted");
  return *path;
}

Dirs find_dirs(const Environment& env, const Common& common, const std::string& executable,
               bool root) {
  Dirs dirs;
  if (common.state_dir && common.state_dir->empty())
    throw usage("invalid --state-dir '': it is empty");
  if (common.config && common.config->empty()) throw usage("invalid --config '': it is empty");
  if (common.state_dir) {
    dirs.state = absolute(*common.state_dir);
  } else if (auto given = env("BANGER_STATE_DIR")) {
    dirs.state = absolute(*given);
  } else if (auto base = xdg(env, "XDG_STATE_HOME")) {
    dirs.state = *base + "/banger";
  } else {
    dirs.state = root ? "/var/lib/banger" : home(env) + "/.local/state/banger";
  }
  dirs.state = without_trailing_slashes(dirs.state);

  if (common.config) {
    dirs.config_file = absolute(*common.config);
  } else if (auto given = env("BANGER_CONFIG")) {
    dirs.config_file = absolute(*given);
  } else if (auto base = xdg(env, "XDG_CONFIG_HOME")) {
    dirs.config_file = *base + "/banger/config.toml";
  } else {
    dirs.config_file = root ? "/etc/banger/config.toml" : home(env) + "/.config/banger/config.toml";
  }
  dirs.runtime = runtime_dir(env, dirs.state, root);

  // PREFIX/bin or PREFIX/libexec/banger; a program elsewhere (a test) lies one below the prefix
  // too.
  std::string own = parent(executable);
  std::string prefix = parent(own);
  if (own.ends_with("/libexec/banger")) prefix = parent(prefix);
  if (prefix == "/") prefix.clear();
  dirs.bin = prefix + "/bin";
  dirs.libexec = prefix + "/libexec/banger";
  dirs.share = prefix + "/share/banger";
  return dirs;
}

} // namespace banger::cli
