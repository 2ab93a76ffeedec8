#include "sys/host_records.h"

#include "core/outlives.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

constexpr mode_t readable = 0755;

} // namespace

std::string host_record(const std::string& name, const std::string& kind) {
  return fmt::format("{}/{}.{}", host_directory, name, kind);
}

std::vector<std::string> host_record_names(const std::string& kind) {
  std::string suffix = "." + kind;
  std::vector<std::string> names;
  for (const std::string& file : list_dir(host_directory))
    if (file.ends_with(suffix)) names.push_back(file.substr(0, file.size() - suffix.size()));
  return names;
}

HostRecords::HostRecords(const std::string& kind, size_t most) : kind_(kind), most_(most) {
  make_dir(host_directory, readable);
  auto info = find_link_info(host_directory);
  if (!info || !info->is_dir || info->uid != 0 || (info->mode & 022))
    throw preflight("'{}' is not root's own directory", host_directory)
        .hint(fmt::format("chown root: {0}; chmod 755 {0}", host_directory));
  // A VM of root's that was here first has made it for itself.
  if ((info->mode & readable) != readable) set_mode(host_directory, readable);
}

std::string HostRecords::path_of(const std::string& name) const { return host_record(name, kind_); }

FileLock HostRecords::lock() const { return FileLock::take(std::string(host_directory) + "/lock"); }

std::optional<std::string> HostRecords::content(const std::string& name) const {
  auto info = find_link_info(path_of(name));
  if (!info) return {};
  if (!info->is_file || info->uid != 0 || (info->mode & 022))
    throw failed("it is no file of root's own");
  return find_content(path_of(name), most_);
}

bool HostRecords::has(const std::string& name) const { return exists(path_of(name)); }

std::vector<std::string> HostRecords::names() const { return host_record_names(kind_); }

void HostRecords::write(const std::string& name, const std::string& content) {
  write_atomic(path_of(name), content, 0600, Outlives::process);
}

void HostRecords::remove(const std::string& name) { remove_file(path_of(name)); }

} // namespace banger::sys
