// How a variant's root file system is made: runtime/root/VARIANT (see runtime/root/README), read
// and checked. Reading touches nothing but those files; the rest is pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace banger::bundle {

struct Recipe {
  enum class Base { minbase, extract } base = Base::minbase;
  int64_t size = 0;              // of the file system, bytes
  std::vector<std::string> drop; // globs
  std::vector<std::pair<std::string, mode_t>> dirs;
  std::vector<std::pair<std::string, std::string>> links; // path, target
  std::map<std::string, mode_t> modes;
  std::string applets; // busybox's path; empty: none
  bool operator==(const Recipe&) const = default;

  // Whether a glob matches the path or a directory above it.
  bool drops(std::string_view path) const;
};

// Error(failed) that names the line; `path` is for that.
Recipe parse_recipe(std::string_view text, std::string_view path);

// A file of files/, with what @SUITE@ stands for filled in.
struct RootFile {
  std::string path;
  mode_t mode = 0644; // permissions
  std::string content;
  bool operator==(const RootFile&) const = default;
};

// All that a root file system is made of, Debian's packages apart.
struct RootSource {
  std::string variant, suite;
  Recipe recipe;
  std::string packages;                   // the list as it is
  std::vector<std::string> package_names; // those in it
  std::vector<RootFile> files;
  // sha256 of everything above: a root made of the same inputs need not be made again.
  std::string inputs;
};

// `runtime` is share/banger/runtime. Error(usage) for an unknown variant, naming those there are.
RootSource load_root_source(const std::string& runtime, const std::string& variant,
                            const std::string& suite);
std::vector<std::string> list_variants(const std::string& runtime);

// The package list of a variant, as it is; none where there is no such variant.
std::optional<std::string> find_packages(const std::string& runtime, const std::string& variant);

// The names in a package list. Error(failed) for one that is no package's name.
std::vector<std::string> parse_packages(std::string_view text, std::string_view path);

// A path of a package in merged /usr: "bin/sh" is "usr/bin/sh".
std::string merged_usr(std::string_view path);
// The links that merged /usr has in / itself: path and target.
const std::vector<std::pair<std::string, std::string>>& merged_usr_links();

} // namespace banger::bundle
