// Where the bundle lies.
//
// First that applies:
//   configured   flag --runtime-dir, BANGER_RUNTIME_DIR, `runtime_dir` of the config
//   source       ./runtime/bundle of the source tree, for tools that run from its build directory
//   state        `bundle` in the state directory, if a bundle was built there
//   install      PREFIX/lib/banger, beside the tools' own prefix, if there is a bundle
//   state        (the same, when there is none anywhere: where a build goes)
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"

namespace banger::bundle {

// Names in it: held while one builds there; the directory of a build, with its process's number.
inline constexpr const char *build_lock = ".lock", *build_prefix = ".build-";

struct RuntimeDir {
  std::string path;   // absolute
  std::string origin; // "configured", "source", "state", "install"
  bool operator==(const RuntimeDir&) const = default;
};

// Where a bundle is looked for. It need not be there.
RuntimeDir runtime_dir(const Settings& settings, const Dirs& dirs);
// Where `bundle build` puts one: the same without "install", which is not the user's to write.
RuntimeDir build_dir(const Settings& settings, const Dirs& dirs);
// All of these places, where builds of this user may have been: what applies now may be another
// than what did then. They need not be there.
std::vector<std::string> build_dirs(const Settings& settings, const Dirs& dirs);

// The temporary directories that dead builds left in a bundle's directory, as paths. None while a
// build is at work there.
std::vector<std::string> dead_builds(const std::string& dir);

// The source tree that the tools in `bin` were built from, when they run from its build directory;
// else empty.
std::string source_tree(const std::string& bin);

} // namespace banger::bundle
