#include "disk/snapshot.h"

#include <algorithm>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "archive/sha256.h"
#include "core/error.h"
#include "core/text.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

using Json = nlohmann::ordered_json;

constexpr int newest = 2;                   // of the manifest
constexpr int whole_digests = 1;            // the version whose digests are of holes, too
constexpr size_t longest = size_t{1} << 20; // bytes of one

Json to_json(const Manifest& manifest) {
  const SavedMachine& m = manifest.machine;
  Json files = Json::array();
  for (const SavedFile& f : manifest.files)
    files.push_back({{"name", f.name}, {"size", f.size}, {"data_sha256", f.sha256}});
  return {{"v", newest},
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

// A number of the manifest that can be one of a VM's.
template <typename T>
void take(const Json& j, const char* name, int64_t least, int64_t most, T& number) {
  const Json& value = j.at(name);
  int64_t n = value.is_number_integer() ? value.get<int64_t>() : least - 1;
  if (n < least || n > most) throw failed("its {} is {}", name, escape_for_terminal(value.dump()));
  number = static_cast<T>(n);
}

bool is_plain(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

Manifest parse(const Json& j) {
  constexpr int64_t most = int64_t{1} << 60;
  Manifest manifest;
  take(j, "v", 1, most, manifest.v);
  if (manifest.v > newest)
    throw conflict("it was made by a newer banger").hint("use the newer banger");
  SavedMachine& m = manifest.machine;
  m.vmm = parse_vmm_kind(j.at("vmm").get<std::string>());
  m.vmm_version = j.at("vmm_version");
  m.accel = parse_accel(j.at("accel").get<std::string>());
  take(j, "cpus", 1, 4096, m.cpus);
  take(j, "memory", 1, most, m.memory);
  take(j, "root_size", 0, most, m.root_size);
  take(j, "work_size", 0, most, m.work_size);
  const Json& net = j.at("net");
  m.net_mode = parse_net_mode(net.at("mode").get<std::string>());
  m.address = net.at("address");
  take(net, "prefix", 0, 32, m.prefix);
  m.gateway = net.at("gateway");
  m.mac = net.at("mac");
  for (const Json& f : j.at("files")) {
    SavedFile& file = manifest.files.emplace_back();
    file.name = f.at("name");
    if (!is_plain(file.name)) throw failed("it names '{}'", escape_for_terminal(file.name));
    take(f, "size", 0, most, file.size);
    file.sha256 = f.at(manifest.v == whole_digests ? "sha256" : "data_sha256");
  }
  return manifest;
}

// A VMM may write the zeros of a guest's memory, too.
void make_sparse(const std::string& path, const std::function<void()>& between) {
  std::string thin = path + ".tmp";
  auto info = sys::find_info(path);
  {
    Fd in = sys::open_file(path, O_RDWR);
    sys::copy_part(in.get(), path, 0, info->size, thin, sys::Original::given_back, between);
  }
  sys::rename(thin, path);
}

std::string file_in(const std::string& dir, const std::string& name) {
  return fmt::format("{}/{}", dir, name);
}

} // namespace

void copy_disk(const std::string& from, const std::string& to,
               const std::function<void()>& between) {
  if (!sys::clone_file(from, to)) sys::copy_sparse(from, to, between);
}

Manifest seal_snapshot(const std::string& dir, const SavedMachine& machine,
                       const std::function<void()>& between) {
  Manifest manifest{newest, machine, {}};
  for (const std::string& name : sys::list_dir(dir)) {
    std::string path = file_in(dir, name);
    auto info = sys::find_link_info(path);
    if (!info || !info->is_file) throw failed("'{}' is no file that belongs to a snapshot", path);
    sys::set_mode(path, 0600);
    int64_t size = info->size;
    if (name == memory_file && size == machine.memory) make_sparse(path, between);
    manifest.files.push_back({name, size, archive::sha256_of_data(path, between)});
    sys::sync_file(path);
  }
  write_manifest(dir, manifest);
  return manifest;
}

void write_manifest(const std::string& dir, const Manifest& manifest) {
  sys::write_atomic(file_in(dir, manifest_file), to_json(manifest).dump(2) + "\n");
}

Manifest read_manifest(const std::string& dir) {
  std::string path = file_in(dir, manifest_file), why;
  try {
    std::string text = sys::read_file(path, longest);
    try {
      return parse(Json::parse(text));
    } catch (const Error& e) {
      if (e.code() == Code::conflict) throw;
      why = ": " + e.message();
    } catch (const Json::exception&) {
    }
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot use the snapshot in '{}'", dir)));
  }
  throw failed("cannot use the snapshot in '{}': its manifest is damaged{}", dir, why);
}

void verify_snapshot(const std::string& dir, const Manifest& manifest,
                     const std::vector<std::string>& needs) {
  for (const std::string& name : needs)
    if (std::ranges::find(manifest.files, name, &SavedFile::name) == manifest.files.end())
      throw failed("the snapshot in '{}' has no '{}'", dir, name);
  auto digest = [&](const std::string& path) {
    return manifest.v == whole_digests ? archive::sha256_file(path) : archive::sha256_of_data(path);
  };
  for (const SavedFile& f : manifest.files) {
    std::string path = file_in(dir, f.name);
    auto info = sys::find_link_info(path); // a link would lead out of the snapshot
    if (!info) throw failed("'{}' is not there", path);
    if (!info->is_file || info->size != f.size || digest(path) != f.sha256)
      throw failed("'{}' is damaged: it is not what was saved", path);
  }
}

} // namespace banger::disk
