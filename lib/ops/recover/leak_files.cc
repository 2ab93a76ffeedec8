#include <algorithm>

#include "bundle/runtime_dir.h"
#include "ops/recover/leak_kinds.h"
#include "ops/release/snapshots.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

void find_directories(std::vector<Leak>& found, std::string_view object,
                      const std::string& parent) {
  for (const std::string& name : sys::list_dir(parent)) {
    if (name.starts_with('.')) continue;
    std::string path = parent + "/" + name, id = vm_in(name);
    found.push_back({std::string(object), path, owner_of(id), path, {}, id});
  }
}

} // namespace

std::vector<Leak> find_runtime(const Scene& scene, Reader&) {
  std::vector<Leak> all, ours;
  for (const std::string& root : scene.runtime_roots) find_directories(all, "runtime", root);
  std::copy_if(all.begin(), all.end(), std::back_inserter(ours), [&](const Leak& l) {
    return !is_strange(scene, l.path.substr(0, l.path.rfind('/') + 1) + l.row);
  });
  return ours;
}

std::vector<Leak> find_vm_dirs(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  find_directories(found, "vm", scene.state_dir + "/vms");
  return found;
}

std::vector<Leak> find_image_dirs(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  find_directories(found, "image", scene.state_dir + "/images");
  return found;
}

void remove_path(const Leak& leak, Reader&) { sys::remove_tree(leak.path); }

std::vector<Leak> find_temporaries(const Scene& scene, Reader& in) {
  std::vector<Leak> found;
  // A verb or an import that holds its lock is at work there: files that it makes are no leak yet.
  auto is_busy = [&](const std::string& dir) {
    return std::any_of(scene.open_files.begin(), scene.open_files.end(), [&](const OpenFile& f) {
      return f.locked && (f.path == dir + "/op.lock" || f.path == dir + "/snapshot.lock" ||
                          f.path == dir + "/import.lock");
    });
  };
  auto add = [&](const std::string& path, const std::string& owner) {
    if (auto info = sys::find_link_info(path))
      found.push_back({"temporary", path, owner, path, {}, {}, {}, info->ino, info->mtime_ns});
  };
  auto look = [&](const std::string& dir, const std::string& owner) {
    if (is_busy(dir)) return;
    if (in.state.find_vm_by_id(owner))
      for (const std::string& path : unknown_snapshots(in, dir, owner)) add(path, owner);
    for (const std::string& name : sys::list_dir(dir)) {
      if (!name.starts_with('.') || !name.ends_with(".tmp") || name.size() < 6) continue;
      std::string path = dir + "/" + name;
      bool in_use = std::any_of(scene.open_files.begin(), scene.open_files.end(),
                                [&](const OpenFile& f) { return f.path == path; });
      if (!in_use) add(path, owner);
    }
  };
  look(scene.state_dir, "");
  for (const char* dir : {"keys", "log"}) look(scene.state_dir + "/" + dir, "");
  for (const char* dir : {"vms", "images"}) {
    std::string parent = scene.state_dir + "/" + dir;
    look(parent, "");
    for (const std::string& id : sys::list_dir(parent)) look(parent + "/" + id, id);
  }
  return found;
}

void remove_temporary(const Leak& leak, Reader&) {
  auto info = sys::find_link_info(leak.path);
  if (info && info->ino == leak.inode && info->mtime_ns == leak.mtime_ns)
    sys::remove_tree(leak.path);
}

std::vector<Leak> find_builds(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  for (const std::string& dir : scene.bundle_dirs)
    for (const std::string& path : bundle::dead_builds(dir))
      found.push_back({"build", path, {}, path, {}, {}});
  return found;
}

} // namespace banger::ops
