// Debian's archive, as this host reaches it: its mirror and proxy where it is a Debian itself, else
// deb.debian.org. Packages are checked against Debian's own keyring by apt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundle/work.h"

namespace banger::bundle {

inline constexpr std::string_view debian_keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
inline constexpr std::string_view debian_arch = "amd64";

// Where a suite comes from. Pure.
//   targets   what `apt-get indextargets` says, a line "URI RELEASE COMPONENT ORIGIN" each
//   codename  of this host's Debian; empty if it is none
// Gives lines of a sources.list, the suite's own first.
std::vector<std::string> debian_sources(std::string_view targets, std::string_view codename,
                                        std::string_view suite);

// Of `apt-config dump`, the lines that say how to reach an archive (proxies and the like). Pure.
std::string apt_acquire_settings(std::string_view dump);

class DebianArchive {
public:
  // Asks this host's apt; fetches nothing.
  DebianArchive(BundleWork& work, const std::string& suite);

  const std::vector<std::string>& sources() const { return sources_; }
  // A file of apt settings for reaching the archive.
  const std::string& settings_file() const { return settings_; }

  // Fetches the package lists, once.
  void update();
  // The package that a kernel's meta package stands for.
  std::string kernel_package(const std::string& meta);
  // Fetches one package into `dir`; its path.
  std::string download(const std::string& package, const std::string& dir);
  // Fetches packages and all that they depend on; their paths, sorted.
  std::vector<std::string> download_all(const std::vector<std::string>& packages);

private:
  sys::Command apt(std::vector<std::string> argv) const;

  BundleWork& work_;
  std::vector<std::string> sources_;
  std::string root_, settings_, config_;
  bool updated_ = false;
};

} // namespace banger::bundle
