// Root file systems: Debian's packages as tars, edited by the recipe as they stream by into an ext4
// file system. Nothing is unpacked, and no rights are needed.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fcntl.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include "archive/reader.h"
#include "archive/sha256.h"
#include "archive/sources.h"
#include "bundle/parts.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/ext4_files.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/signals.h"
#include "sys/wait.h"

namespace banger::bundle {

namespace {

// Times in the root are not later than this: of the build, or what SOURCE_DATE_EPOCH says.
int64_t newest_time() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (!epoch) return wall_now().ns / 1'000'000'000;
  return parse_number("SOURCE_DATE_EPOCH", epoch, 0, int64_t{1} << 40);
}

// The root while it is made.
class RootFiles {
public:
  RootFiles(const std::string& image, int64_t newest)
      : files_(image, disk::Ext4Files::Mode::write), newest_(newest) {
    files_.set_time(newest);
  }

  // The reader's current entry, with its owner, times and attributes, at `path`; its content is
  // read from the reader, or is `content` where given.
  void copy(archive::Reader& reader, TreeEntry entry, const std::string& path,
            const std::optional<std::string>& content = {}) {
    entry.path = path;
    if (entry.mtime > newest_) entry.mtime = newest_, entry.mtime_ns = 0;
    if (content)
      files_.make_file(path, entry, *content);
    else
      files_.make(entry, [&] { return reader.chunk(); });
  }
  // Adds a file that root owns. `content` of a symbolic link is its target.
  void add(const std::string& path, mode_t mode, std::string_view content) {
    FileMeta meta{mode};
    meta.mtime = newest_;
    if (S_ISDIR(mode))
      files_.make_dir(path, meta);
    else if (S_ISLNK(mode))
      files_.make_link(path, meta, std::string(content));
    else
      files_.make_file(path, meta, content);
  }
  // Whether something is at `path` already.
  bool has(const std::string& path) { return files_.find_link(path).has_value(); }
  void finish() { files_.finish(); }

private:
  disk::Ext4Files files_;
  int64_t newest_;
};

// Adds the files of the recipe and of files/, after the packages.
void add_own_files(RootFiles& root, const RootSource& source) {
  auto add = [&](const std::string& path, mode_t mode, std::string_view content) {
    for (size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1))
      if (std::string parent = path.substr(0, at); !root.has(parent))
        root.add(parent, S_IFDIR | 0755, "");
    root.add(path, mode, content);
  };
  for (const auto& [path, mode] : source.recipe.dirs) add(path, S_IFDIR | mode, "");
  for (const auto& [path, target] : source.recipe.links) add(path, S_IFLNK | 0777, target);
  for (const auto& file : source.files) add(file.path, S_IFREG | file.mode, file.content);
}

// A file that is replaced by an own one is left out, so that neither its links nor its owner stay.
bool is_own(const RootSource& source, std::string_view path) {
  return std::ranges::any_of(source.files, [&](const auto& f) { return f.path == path; }) ||
         std::ranges::any_of(source.recipe.links, [&](const auto& l) { return l.first == path; });
}

bool is_kept(const RootSource& source, const TreeEntry& entry, const std::string& path) {
  // /dev is the kernel's own; a device node needs rights to make.
  if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) return false;
  return !source.recipe.drops(path) && !is_own(source, path);
}

int errno_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& e) {
    return e.error_number();
  } catch (const std::exception&) {
    return 0;
  }
}

// The empty file system of a root.
void make_file_system(BundleWork& work, const RootSource& source, const std::string& image) {
  // A file system's identity follows from what is in it.
  std::string id = archive::sha256_hex("file system of " + source.inputs);
  std::string uuid = fmt::format("{}-{}-4{}-8{}-{}", id.substr(0, 8), id.substr(8, 4),
                                 id.substr(13, 3), id.substr(17, 3), id.substr(20, 12));
  sys::open_file(image, O_WRONLY | O_CREAT | O_EXCL, 0644);
  work.run(
      {.argv = {*find_system_program("mke2fs"), "-q", "-F", "-t", "ext4", "-L", "root", "-m", "1",
                "-U", uuid, "-E", "root_owner=0:0,assume_storage_prezeroed=1,hash_seed=" + uuid,
                image, fmt::format("{}k", source.recipe.size >> 10)},
       .env = {{"E2FSPROGS_FAKE_TIME", std::to_string(newest_time())}, {"LC_ALL", "C"}},
       .cwd = {}});
}

// mmdebstrap's minimal base with the packages installed.
std::vector<std::string> write_minbase(BundleWork& work, DebianArchive& archive,
                                       const RootSource& source, RootFiles& root) {
  auto [read_end, write_end] = sys::make_pipe();
  sys::Command command{.argv = {"mmdebstrap", "--verbose", "--variant=minbase",
                                fmt::format("--architectures={}", debian_arch),
                                "--include=" + join(source.package_names, ","),
                                "--aptopt=" + archive.settings_file(), "--format=tar", source.suite,
                                "-"},
                       .env = {{"LC_ALL", "C.UTF-8"}},
                       .cwd = {}};
  // Where user namespaces are forbidden it falls back on fakechroot, whose programs run with the
  // host's loader: that does not find systemd's own library in the new root. Package scripts run
  // from there, so a path relative to it leads to it (mmdebstrap knows the older place only).
  if (!sys::is_root()) command.env["LD_LIBRARY_PATH"] = "usr/lib/x86_64-linux-gnu/systemd";
  // mmdebstrap unpacks where this build tidies up; not in a user namespace, where it is another
  // user, who may not enter here.
  if (sys::is_root() || !has_subordinate_ids()) command.env["TMPDIR"] = work.path("");
  command.argv.insert(command.argv.end(), archive.sources().begin(), archive.sources().end());
  sys::Child child = work.start(command, -1, write_end.get());
  write_end.reset();
  std::string status;
  std::exception_ptr failure;
  try {
    auto bytes = archive::pull_file(read_end.get(), "mmdebstrap's tar");
    archive::Reader reader(
        [&](std::span<char> buffer) {
          sys::wait_or_interrupt(read_end.get());
          return bytes(buffer);
        },
        "mmdebstrap's tar");
    while (auto entry = reader.next()) {
      if (!is_kept(source, *entry, entry->path)) continue;
      if (entry->path == "var/lib/dpkg/status" && S_ISREG(entry->mode)) {
        status = reader.content();
        root.copy(reader, *entry, entry->path, status);
      } else {
        root.copy(reader, *entry, entry->path);
      }
    }
  } catch (...) {
    failure = std::current_exception();
  }
  read_end.reset();
  // Of two failures the first is told. With an errno it happened here, on the way on, and
  // mmdebstrap ends because of it; without one, mmdebstrap cut its tar off.
  if (failure && errno_of(failure) != 0) std::rethrow_exception(failure);
  work.look_up();
  work.finish(child, "mmdebstrap");
  if (failure) std::rethrow_exception(failure);
  return installed_packages(status);
}

// The packages and what they depend on, only unpacked.
std::vector<std::string> write_extract(BundleWork& work, DebianArchive& archive,
                                       const RootSource& source, RootFiles& root) {
  std::vector<std::string> installed;
  std::string applets_program;
  root.add("", S_IFDIR | 0755, "");
  root.add("usr", S_IFDIR | 0755, "");
  for (const auto& [path, target] : merged_usr_links()) {
    root.add(target, S_IFDIR | 0755, "");
    root.add(path, S_IFLNK | 0777, target);
  }
  for (const std::string& deb : archive.download_all(source.package_names)) {
    installed.push_back(package_of_file(deb.substr(deb.rfind('/') + 1)));
    work.look_up();
    auto reader = archive::Reader::of_package(deb);
    while (auto entry = reader.next()) {
      std::string path = merged_usr(entry->path);
      // Directories come in many packages; the links of merged /usr are not to be replaced by them.
      if (path.empty() || root.has(path) || root.has(entry->path) || !is_kept(source, *entry, path))
        continue;
      if (path == source.recipe.applets) {
        applets_program = reader.content();
        root.copy(reader, *entry, path, applets_program);
      } else {
        root.copy(reader, *entry, path);
      }
    }
  }
  std::ranges::sort(installed);
  if (source.recipe.applets.empty()) return installed;

  if (applets_program.empty())
    throw failed("no package has '{}', whose applets are wanted", source.recipe.applets);
  // It is what its name says: by another it would look for an applet of that name.
  std::string program = work.path("busybox");
  sys::write_atomic(program, applets_program, 0755);
  std::string list =
      sys::run_ok({.argv = {program, "--list-full"}, .env = {}, .cwd = {}, .kept = true});
  for (const std::string& line : split(trim(list), '\n')) {
    std::string path = merged_usr(line);
    if (path.empty() || root.has(path) || source.recipe.drops(path) || is_own(source, path))
      continue;
    root.add(path, S_IFLNK | 0777, "/" + source.recipe.applets);
  }
  return installed;
}

} // namespace

MadeRoot make_root(BundleWork& work, DebianArchive& archive, const RootSource& source) {
  MadeRoot made;
  made.path = work.path("root.ext4");
  work.stage(fmt::format("root-{}: fetching and unpacking packages", source.variant));
  make_file_system(work, source, made.path);
  try {
    RootFiles root(made.path, newest_time());
    made.installed = source.recipe.base == Recipe::Base::minbase
                         ? write_minbase(work, archive, source, root)
                         : write_extract(work, archive, source, root);
    add_own_files(root, source);
    root.finish();
  } catch (disk::Ext4Full&) {
    throw failed("the root of '{}' does not fit into {}", source.variant,
                 format_size(source.recipe.size))
        .hint("its recipe says the size");
  }
  return made;
}

std::vector<std::string> installed_packages(std::string_view dpkg_status) {
  std::vector<std::string> installed;
  std::string name, version;
  bool is_installed = false;
  auto end_paragraph = [&] {
    if (is_installed && !name.empty()) installed.push_back(fmt::format("{} {}", name, version));
    name.clear(), version.clear(), is_installed = false;
  };
  for (const std::string& line : split(dpkg_status, '\n')) {
    std::string_view text = line;
    auto field = [&](std::string_view key) {
      if (!text.starts_with(key)) return std::string();
      return std::string(trim(text.substr(key.size())));
    };
    if (text.empty()) end_paragraph();
    if (auto value = field("Package:"); !value.empty()) name = value;
    if (auto value = field("Version:"); !value.empty()) version = value;
    if (auto value = field("Status:"); !value.empty()) is_installed = value.ends_with(" installed");
  }
  end_paragraph();
  std::ranges::sort(installed);
  return installed;
}

std::string package_of_file(std::string_view file_name) {
  std::vector<std::string> words = split(file_name, '_');
  if (words.size() < 2) return std::string(file_name);
  std::string& version = words[1];
  if (size_t colon = version.find("%3a"); colon != version.npos) version.replace(colon, 3, ":");
  return fmt::format("{} {}", words[0], version);
}

} // namespace banger::bundle
