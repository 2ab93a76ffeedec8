// Settings from flags, environment and the config file, and the places on disk.
//
// A key set twice takes the stronger place: flag, BANGER_SECTION_KEY in the environment,
// config.toml, default. An empty variable counts as unset. Every error here is Error(usage) that
// names the key and where it stands (file and line, or the variable); an unknown key is one.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/parse.h"
#include "model/settings.h"

namespace banger::cli {

// Looks a variable up; none if it is unset or empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

struct ConfigKey {
  std::string_view section, name; // "vm" "cpus"; no section for a key of the top
  // The value that it takes, and the member of `settings` that it belongs to.
  Target (*in)(Settings& settings);

  std::string full_name() const;   // "vm.cpus"
  std::string environment() const; // "BANGER_VM_CPUS"
};
// All that there are, in the order of the manual (man/banger-config.5).
std::span<const ConfigKey> config_keys();

// Where things are. `executable` is the path of the running program: PREFIX/bin/X or
// PREFIX/libexec/banger/X. Throws Error(preflight) when neither flags nor environment say where the
// state of this user lies.
Dirs find_dirs(const Environment& env, const Common& common, const std::string& executable,
               bool root);
// The running program's own path.
std::string this_executable();

// Opens one file at most: the config file, which may be absent unless it was named.
Settings load_settings(const Environment& env, const Common& common, const Dirs& dirs);

// Applies the text of a config file; `path` is for messages (cli/config_file.cc).
void apply_config_file(Settings& settings, std::string_view text, const std::string& path);

} // namespace banger::cli
