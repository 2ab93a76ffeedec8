#include "bundle/debian.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::bundle {

namespace {

// The value of a shell-like assignment in /etc/os-release.
std::string os_release(std::string_view key) {
  for (const std::string& line : split(sys::find_content("/etc/os-release").value_or(""), '\n')) {
    size_t equals = line.find('=');
    if (equals == line.npos || line.substr(0, equals) != key) continue;
    std::string value(trim(std::string_view(line).substr(equals + 1)));
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

struct Target {
  std::string uri, release, component, origin;
};

std::vector<Target> parse_targets(std::string_view text) {
  std::vector<Target> targets;
  for (const std::string& line : split(text, '\n')) {
    std::vector<std::string> words = split(line, ' ');
    if (words.size() < 3) continue;
    targets.push_back({words[0], words[1], words[2], words.size() > 3 ? words[3] : ""});
  }
  return targets;
}

} // namespace

std::vector<std::string> debian_sources(std::string_view targets, std::string_view codename,
                                        std::string_view suite) {
  std::string archive = "http://deb.debian.org/debian/";
  std::string security = "http://deb.debian.org/debian-security/";
  auto parsed = parse_targets(targets);
  auto find = [&](const std::string& release, std::string& uri) {
    auto it = std::ranges::find_if(parsed, [&](const Target& t) {
      // Where no lists were fetched yet, apt leaves the origin's place-holder as it is.
      return t.release == release && t.component == "main" && !t.uri.starts_with("cdrom:") &&
             (t.origin == "Debian" || t.origin.empty() || t.origin.starts_with("$("));
    });
    if (it != parsed.end()) uri = it->uri;
  };
  if (!codename.empty()) {
    find(std::string(codename), archive);
    find(fmt::format("{}-security", codename), security);
  }
  auto line = [&](const std::string& uri, const std::string& release) {
    return fmt::format("deb [signed-by={}] {} {} main", debian_keyring, uri, release);
  };
  std::vector<std::string> lines{line(archive, std::string(suite))};
  if (suite == "sid" || suite == "unstable") return lines;
  lines.push_back(line(archive, fmt::format("{}-updates", suite)));
  lines.push_back(line(security, fmt::format("{}-security", suite)));
  return lines;
}

std::string apt_acquire_settings(std::string_view dump) {
  std::string settings;
  for (const std::string& line : split(dump, '\n'))
    for (std::string_view prefix : {"Acquire::http", "Acquire::https", "Acquire::Check-",
                                    "Acquire::ForceIPv", "Acquire::Retries"})
      if (line.starts_with(prefix)) {
        settings += line + "\n";
        break;
      }
  return settings;
}

DebianArchive::DebianArchive(BundleWork& work, const std::string& suite)
    : work_(work), root_(work.path("apt")), settings_(work.path("apt-settings")),
      config_(work.path("apt.conf")) {
  std::string targets =
      sys::run({.argv = {"apt-get", "indextargets", "--format",
                         "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"},
                .env = {},
                .cwd = {},
                .kept = true})
          .out;
  std::string codename = os_release("ID") == "debian" ? os_release("VERSION_CODENAME") : "";
  sources_ = debian_sources(targets, codename, suite);
  std::string acquire = apt_acquire_settings(
      sys::run_ok({.argv = {"apt-config", "dump"}, .env = {}, .cwd = {}, .kept = true}));

  for (const char* dir : {"/lists/partial", "/archives/partial", "/etc", "/log"})
    sys::make_dirs(root_ + dir, 0755);
  sys::write_atomic(root_ + "/status", "", 0644);
  sys::write_atomic(root_ + "/etc/sources.list", join(sources_, "\n") + "\n", 0644);
  sys::write_atomic(settings_, acquire, 0644);
  // Of this host's own apt settings only the way to an archive is used; no file lies outside root_.
  sys::write_atomic(config_,
                    fmt::format(R"(Dir "{0}";
Dir::State "{0}";
Dir::State::status "{0}/status";
Dir::State::lists "lists";
Dir::Cache "{0}";
Dir::Cache::archives "archives";
Dir::Log "{0}/log";
Dir::Etc "{0}/etc";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "{1}";
APT::Architectures {{ "{1}"; }};
APT::Install-Recommends "0";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::Assume-Yes "1";
Acquire::Languages "none";
)",
                                root_, debian_arch) +
                        acquire,
                    0644);
}

sys::Command DebianArchive::apt(std::vector<std::string> argv) const {
  return {.argv = std::move(argv),
          // What an apt that is killed leaves is removed with the rest of the build.
          .env = {{"APT_CONFIG", config_}, {"LC_ALL", "C"}, {"TMPDIR", work_.path("")}},
          .cwd = {},
          .kept = true};
}

void DebianArchive::update() {
  if (updated_) return;
  work_.run(apt({"apt-get", "update"}));
  updated_ = true;
}

std::string DebianArchive::kernel_package(const std::string& meta) {
  update();
  for (const std::string& line :
       split(sys::run_ok(apt({"apt-cache", "depends", "--important", meta})), '\n')) {
    constexpr std::string_view key = "Depends: linux-image-";
    if (size_t at = line.find(key); at != line.npos)
      return std::string(trim(line.substr(at + key.find("linux-image-"))));
  }
  throw failed("package '{}' stands for no kernel", meta).log(work_.log_path());
}

std::string DebianArchive::download(const std::string& package, const std::string& dir) {
  update();
  sys::make_dirs(dir, 0755);
  sys::Command command = apt({"apt-get", "download", package});
  command.cwd = dir;
  work_.run(command);
  for (const std::string& name : sys::list_dir(dir))
    if (name.starts_with(package + "_") && name.ends_with(".deb")) return dir + "/" + name;
  throw failed("apt-get brought no package '{}'", package).log(work_.log_path());
}

std::vector<std::string> DebianArchive::download_all(const std::vector<std::string>& packages) {
  update();
  std::vector<std::string> argv{"apt-get", "install", "--download-only"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  work_.run(apt(std::move(argv)));
  std::vector<std::string> paths;
  for (const std::string& name : sys::list_dir(root_ + "/archives"))
    if (name.ends_with(".deb")) paths.push_back(root_ + "/archives/" + name);
  return paths;
}

} // namespace banger::bundle
