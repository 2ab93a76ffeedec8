#include "helper/disks.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/dm.h"
#include "disk/ext4.h"
#include "model/message.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/lease.h"

namespace banger::helper {

namespace {

constexpr size_t most_bytes = 4 << 20;
// The last VM's loop device is open for a moment longer, by udev's look at what is on it.
constexpr Millis patience{5'000};

struct Entry {
  uid_t uid = 0;
  std::string vm, identity;
  int64_t size = 0; // bytes of the disk
};

std::vector<Entry> parse_entries(const std::string& text) {
  return read_message(text, [](const Json& j) {
    std::vector<Entry> entries;
    for (const Json& e : j.at("disks"))
      entries.push_back({e.at("uid").get<uid_t>(), e.at("vm").get<std::string>(),
                         e.at("identity").get<std::string>(), e.at("size").get<int64_t>()});
    return entries;
  });
}

std::vector<Entry> entries_of(const sys::HostRecords& records, const std::string& tag) {
  // Whose the disks were that it told of is known to nobody then.
  return records
      .find(tag, fmt::format("sudo rm {}, and sudo banger doctor --leaks", records.path_of(tag)),
            parse_entries)
      .value_or(std::vector<Entry>{});
}

void write(sys::HostRecords& records, const std::string& tag, const std::vector<Entry>& entries) {
  if (entries.empty()) return records.remove(tag);
  Json disks = Json::array();
  for (const Entry& e : entries)
    disks.push_back({{"uid", e.uid}, {"vm", e.vm}, {"identity", e.identity}, {"size", e.size}});
  std::string line = message_line({{"v", message_version}, {"disks", disks}});
  if (line.size() > most_bytes) throw failed("more disks of '{}' than a host remembers", tag);
  records.write(tag, line);
}

// One whose server is a user's (FUSE) or another host could make the kernel wait for ever, and one
// over another has files that are changed below it.
bool is_of_this_host(int fd) {
  constexpr unsigned ext4 = 0xef53, xfs = 0x58465342, btrfs = 0x9123683e, tmpfs = 0x01021994,
                     f2fs = 0xf2f52010, zfs = 0x2fc12fc1, bcachefs = 0xca451a4e;
  struct statfs fs {};
  if (::fstatfs(fd, &fs) != 0) return false;
  auto kind = static_cast<unsigned>(fs.f_type);
  return std::ranges::count(
             std::initializer_list<unsigned>{ext4, xfs, btrfs, tmpfs, f2fs, zfs, bcachefs}, kind) >
         0;
}

// Of two looks at a name the second may find another file: all that is asked is asked of what was
// found, and that is opened, by the descriptor, once it is known to be a file.
Fd open_own(int dir, const std::string& name, int flags, const Caller& caller,
            const std::string& shown) {
  Fd found = sys::open_below(dir, name, O_PATH, shown);
  struct stat st {};
  if (::fstat(found.get(), &st) != 0) throw sys_error(errno, "cannot look at '{}'", shown);
  auto refuse = [&](std::string_view why) { return preflight("cannot map '{}': {}", shown, why); };
  if (!S_ISREG(st.st_mode)) throw refuse("it is no file");
  if (caller.uid != 0) {
    if (st.st_uid != caller.uid) throw refuse("it is another user's");
    if (st.st_nlink != 1) throw refuse("it has another name, too");
    if (st.st_mode & 022) throw refuse("others may write to it");
    if (!is_of_this_host(found.get()))
      throw refuse("its file system is not one of this host's disks");
  }
  try {
    return sys::open_file(fmt::format("/proc/self/fd/{}", found.get()), flags);
  } catch (const Error& e) {
    throw sys_error(e.error_number(), "cannot open '{}'", shown);
  }
}

struct Files {
  Fd image, cow;
};

Files open_files(const disk::MapPlan& plan, const Caller& caller, const std::string& image,
                 const std::string& cow) {
  if (!plan.state_dir.starts_with('/') || plan.state_dir.size() >= PATH_MAX ||
      plan.state_dir.find('\0') != std::string::npos)
    throw usage("invalid directory '{}'", plan.state_dir.substr(0, 64));
  std::string below =
      plan.state_dir.substr(std::min(plan.state_dir.find_first_not_of('/'), plan.state_dir.size()));
  AsCaller as_caller(caller);
  Fd top = sys::open_file("/", O_PATH | O_DIRECTORY);
  Fd dir = sys::open_below(top.get(), below, O_PATH | O_DIRECTORY, plan.state_dir);
  return {open_own(dir.get(), plan.image_file(), O_RDONLY, caller, image),
          open_own(dir.get(), plan.cow_file(), O_RDWR, caller, cow)};
}

} // namespace

Disks::Disks(const Caller& caller, const disk::MapLimits& limits)
    : caller_(caller), limits_(limits), records_("disks", most_bytes) {}

// Before it is made. What he has already is counted in all tags.
void Disks::record(const disk::Mapping& m, int64_t size) {
  auto held = records_.lock();
  auto entries = entries_of(records_, m.tag);
  auto known = std::ranges::find(entries, m.id, &Entry::vm);
  if (known != entries.end() && (known->uid != caller_.uid || known->identity != m.identity))
    throw conflict("the root disk of '{}' is mapped already, and it is not this VM's", m.id)
        .hint("a state that was copied has the same names; stop the other one first");
  if (known != entries.end()) entries.erase(known);
  if (caller_.uid != 0) {
    auto refuse = [](const std::string& why) {
      return conflict("cannot map another disk: {}", why)
          .hint(fmt::format("root sets the limits in {}", limits_file));
    };
    if (size > limits_.size)
      throw refuse(fmt::format("it has {}, and a user's has {} at most", format_size(size),
                               format_size(limits_.size)));
    size_t disks = 1;
    int64_t total = size;
    for (const std::string& tag : records_.names()) {
      auto counted = tag == m.tag ? entries : std::vector<Entry>{};
      try {
        if (tag != m.tag) counted = entries_of(records_, tag);
      } catch (const Error&) { // what cannot be read is in nobody's way
      }
      for (const Entry& e : counted)
        if (e.uid == caller_.uid) disks++, total += e.size;
    }
    if (disks > limits_.disks) throw refuse(fmt::format("this user has {} already", disks - 1));
    if (total > limits_.total)
      throw refuse(fmt::format("this user's would have {}, and may have {}", format_size(total),
                               format_size(limits_.total)));
  }
  entries.push_back({caller_.uid, m.id, m.identity, size});
  write(records_, m.tag, entries);
}

void Disks::forget(const disk::Mapping& m) {
  auto held = records_.lock();
  std::vector<Entry> entries;
  try {
    entries = entries_of(records_, m.tag);
  } catch (const Error&) {
    if (caller_.uid == 0) return; // who unmaps what no record tells of; the next map tells of it
    throw;
  }
  std::erase_if(entries, [&](const Entry& e) { return e.identity == m.identity; });
  write(records_, m.tag, entries);
}

disk::Mapped Disks::map(const disk::MapPlan& plan) {
  disk::valid_mapping(plan.mapping);
  std::string image_name = plan.state_dir + "/" + plan.image_file();
  std::string cow_name = plan.state_dir + "/" + plan.cow_file();
  Files files = open_files(plan, caller_, image_name, cow_name);
  const int image = files.image.get(), cow = files.cow.get();
  int64_t origin = disk::ext4_size(image, 0, sys::size_of(image), fmt::format("'{}'", image_name));
  auto layout = disk::cow_layout_of(origin, sys::size_of(cow), cow_name);
  disk::require_device_mapper();
  // Made anew, where it is his: it has the file open.
  if (is_his(plan.mapping)) disk::detach(plan.mapping);
  disk::require_unmapped(plan.mapping);
  record(plan.mapping, layout.disk());
  try {
    // From here until the kernel has read the file nobody writes to it: what was looked at is what
    // is read. Root's own files are taken at his word.
    std::optional<sys::Lease> lease;
    if (caller_.uid != 0) {
      AsCaller as_caller(caller_);
      lease.emplace(cow, cow_name, patience);
    }
    auto still_held = [&] {
      if (lease) lease->require_held();
    };
    return disk::attach(
        {plan.mapping, image, cow, image_name, cow_name, layout, caller_.uid, still_held});
  } catch (const Error&) {
    if (!disk::is_mapped(plan.mapping)) forget(plan.mapping);
    throw;
  }
}

// All are root's, those that nothing tells of, too.
bool Disks::is_his(const disk::Mapping& m) const {
  if (caller_.uid == 0) return true;
  return std::ranges::any_of(entries_of(records_, m.tag), [&](const Entry& e) {
    return e.uid == caller_.uid && e.vm == m.id && e.identity == m.identity;
  });
}

void Disks::unmap(const disk::Mapping& m) {
  disk::valid_mapping(m);
  if (!is_his(m)) return;
  disk::detach(m);
  forget(m);
}

} // namespace banger::helper
