#include "disk/snapshot.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "archive/sha256.h"
#include "core/error.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1; // of the manifest

Json to_json(const Manifest& manifest) {
  const SavedMachine& m = manifest.machine;
  Json files = Json::array();
  for (const SavedFile& f : manifest.files)
    files.push_back({{"name", f.name}, {"size", f.size}, {"sha256", f.sha256}});
  return {{"v", version},
          {"vmm", name_of(m.vmm)},
          {"vmm_version", m.vmm_version},
          {"accel", name_of(m.accel)},
          {"cpus", m.cpus},
          {"memory", m.memory},
          {"root_size", m.root_size},
          {"work_size", m.work_size},
          {"net",
           {{"mode", name_of(m.net_mode)},
            {"address", m.address},
            {"prefix", m.prefix},
            {"gateway", m.gateway},
            {"mac", m.mac}}},
          {"files", files}};
}

Manifest parse(const Json& j) {
  if (j.at("v").get<int>() > version)
    throw conflict("it was made by a newer banger").hint("use the newer banger");
  Manifest manifest;
  SavedMachine& m = manifest.machine;
  m.vmm = parse_vmm_kind(j.at("vmm").get<std::string>());
  m.vmm_version = j.at("vmm_version");
  m.accel = parse_accel(j.at("accel").get<std::string>());
  m.cpus = j.at("cpus");
  m.memory = j.at("memory");
  m.root_size = j.at("root_size");
  m.work_size = j.at("work_size");
  const Json& net = j.at("net");
  m.net_mode = parse_net_mode(net.at("mode").get<std::string>());
  m.address = net.at("address");
  m.prefix = net.at("prefix");
  m.gateway = net.at("gateway");
  m.mac = net.at("mac");
  for (const Json& f : j.at("files")) manifest.files.push_back({f["name"], f["size"], f["sha256"]});
  return manifest;
}

// A VMM may write the zeros of a guest's memory, too.
void make_sparse(const std::string& path) {
  std::string thin = path + ".tmp";
  auto info = sys::find_info(path);
  {
    Fd in = sys::open_file(path, O_RDWR);
    sys::copy_part(in.get(), path, 0, info->size, thin, sys::Original::given_back);
  }
  sys::rename(thin, path);
}

std::string file_in(const std::string& dir, const std::string& name) {
  return fmt::format("{}/{}", dir, name);
}

} // namespace

void copy_disk(const std::string& from, const std::string& to) {
  if (!sys::clone_file(from, to)) sys::copy_sparse(from, to);
}

Manifest seal_snapshot(const std::string& dir, const SavedMachine& machine) {
  Manifest manifest{machine, {}};
  for (const std::string& name : sys::list_dir(dir)) {
    std::string path = file_in(dir, name);
    sys::set_mode(path, 0600);
    int64_t size = sys::find_info(path)->size;
    if (size == machine.memory) make_sparse(path);
    manifest.files.push_back({name, size, archive::sha256_file(path)});
    sys::sync_file(path);
  }
  sys::write_atomic(file_in(dir, manifest_file), to_json(manifest).dump(2) + "\n");
  return manifest;
}

Manifest read_manifest(const std::string& dir) {
  std::string path = file_in(dir, manifest_file);
  try {
    return parse(Json::parse(sys::read_file(path)));
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot use the snapshot in '{}'", dir)));
  } catch (const Json::exception&) {
    throw failed("cannot use the snapshot in '{}': its manifest is damaged", dir);
  }
}

void verify_snapshot(const std::string& dir, const Manifest& manifest) {
  for (const SavedFile& f : manifest.files) {
    std::string path = file_in(dir, f.name);
    auto info = sys::find_info(path);
    if (!info) throw failed("'{}' is not there", path);
    if (info->size != f.size || archive::sha256_file(path) != f.sha256)
      throw failed("'{}' is damaged: it is not what was saved", path);
  }
}

} // namespace banger::disk
