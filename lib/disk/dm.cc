#include "disk/dm.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <libdevmapper.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "disk/loop.h"
#include "model/host_object.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::disk {

namespace {

// What libdevmapper said last, for the error of the call that failed.
std::string last_words;

[[gnu::format(printf, 5, 6)]] void hear(int level, const char*, int, int, const char* format, ...) {
  if ((level & 7) > 4) return; // notices
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  last_words = text;
}

// The node is made by the library whether a udev runs or not, so nothing waits for one. udev's
// rules are told to leave the device alone: they would read what a guest wrote, and hold it open.
void set_up() {
  dm_log_with_errno_init(hear);
  dm_udev_set_sync_support(0);
  dm_udev_set_checking(0);
}

constexpr uint16_t not_for_udev =
    DM_UDEV_DISABLE_DM_RULES_FLAG | DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
    DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG;

class Task {
public:
  explicit Task(int type, const std::string& name = {}) : task_(dm_task_create(type)) {
    if (!task_) throw failed("device-mapper: {}", last_words);
    if (!name.empty()) check(dm_task_set_name(get(), name.c_str()));
  }
  dm_task* get() { return task_.get(); }
  void check(int done) {
    if (!done) throw failed("device-mapper: {}", last_words);
  }
  // For those that udev hears of.
  void change() {
    uint32_t cookie = 0;
    check(dm_task_set_cookie(get(), &cookie, not_for_udev));
    failpoint(Point::map);
    run();
  }
  void run() {
    last_words.clear();
    check(dm_task_run(get()));
  }

private:
  struct Destroy {
    void operator()(dm_task* t) const { dm_task_destroy(t); }
  };
  std::unique_ptr<dm_task, Destroy> task_;
};

struct Found {
  std::string identity;
  dev_t number = 0;
};

std::optional<Found> find_device(const std::string& name) {
  Task task(DM_DEVICE_INFO, name);
  task.run();
  dm_info info{};
  task.check(dm_task_get_info(task.get(), &info));
  if (!info.exists) return {};
  const char* uuid = dm_task_get_uuid(task.get());
  return Found{uuid ? uuid : "", ::makedev(info.major, info.minor)};
}

void update_nodes() {
  failpoint(Point::map);
  dm_task_update_nodes();
}

// A user who keeps the node by a descriptor could open it again, and whatever has its number by
// then. So it stops being his before it goes, and the device goes after it.
void remove_node(const std::string& node) {
  // Nobody but root has anything to do in its directory.
  Fd fd(::open(node.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return;
  struct stat st {};
  if (::fstat(fd.get(), &st) == 0 && S_ISBLK(st.st_mode)) {
    failpoint(Point::chmod);
    if (::fchownat(fd.get(), "", 0, 0, AT_EMPTY_PATH) != 0)
      throw sys_error(errno, "cannot take back '{}'", node);
    // With the mode go the rights of an access control list.
    sys::set_mode(fmt::format("/proc/self/fd/{}", fd.get()), 0600);
  }
  sys::remove_file(node);
}

void remove_device(const std::string& name) {
  Task task(DM_DEVICE_REMOVE, name);
  // Not deferred until the last closes it: that would end one of the same name that is made then.
  task.check(dm_task_retry_remove(task.get()));
  task.change();
  update_nodes();
}

void add_target(Task& task, int64_t from, int64_t size, const char* type,
                const std::string& parameters) {
  constexpr int64_t sector = 512;
  task.check(dm_task_add_target(task.get(), static_cast<uint64_t>(from / sector),
                                static_cast<uint64_t>(size / sector), type, parameters.c_str()));
}

void load(const std::string& name, const CowLayout& layout, const Loop& image, const Loop& cow) {
  Task task(DM_DEVICE_RELOAD, name);
  std::string over = fmt::format("{}:{}", cow.major, cow.minor);
  add_target(task, 0, layout.origin, "snapshot",
             fmt::format("{}:{} {} P {}", image.major, image.minor, over, cow_chunk / 512));
  if (layout.beyond)
    add_target(task, layout.origin, layout.beyond, "linear",
               fmt::format("{} {}", over, layout.store / 512));
  task.change();
}

} // namespace

void require_device_mapper() {
  constexpr const char* without = "use --root overlay, which needs nothing of the host";
  if (!sys::is_root())
    throw preflight("to map disks by device-mapper takes root's rights").hint(without);
  set_up();
  if (int err = loop_fault())
    throw preflight("this host has no loop devices: {}", std::strerror(err))
        .hint(fmt::format("modprobe loop, or {}", without));
  try {
    Task(DM_DEVICE_VERSION).run();
    Task snapshot(DM_DEVICE_GET_TARGET_VERSION, "snapshot"); // loads its module
    snapshot.run();
  } catch (const Error& e) {
    throw preflight("this host's kernel has no device-mapper with snapshots: {}", e.message())
        .hint(fmt::format("modprobe dm_snapshot, or {}", without));
  }
}

void require_unmapped(const Mapping& mapping) {
  std::string name = valid_mapping(mapping);
  set_up();
  if (find_device(name))
    throw conflict("a device '{}' is there already, and it is not this VM's", name)
        .hint("a state that was copied has the same names; banger doctor --leaks tells whether it "
              "is this one's");
}

bool is_mapped(const Mapping& mapping) {
  set_up();
  auto there = find_device(valid_mapping(mapping));
  return there && there->identity == mapping.identity;
}

Mapped attach(const Attach& what) {
  std::string name = valid_mapping(what.mapping);
  const auto& [tag, id, identity] = what.mapping;
  check_store(what.cow, what.layout, what.cow_name);
  require_unmapped(what.mapping);
  remove_node(mapping_node(tag, id)); // of a device that somebody else took away
  Mapped mapped{mapping_node(tag, id), false};
  // They clear themselves where what follows fails.
  Loop image = open_loop(what.image, what.image_name, LoopUse::read_only);
  Loop cow = open_loop(what.cow, what.cow_name, LoopUse::alone);
  mapped.revived = revive_cow(what.cow, what.cow_name);
  {
    Task create(DM_DEVICE_CREATE, name);
    create.check(dm_task_set_uuid(create.get(), identity.c_str()));
    create.check(dm_task_set_add_node(create.get(), DM_ADD_NODE_ON_RESUME));
    create.change();
  }
  try {
    what.before_reading();
    load(name, what.layout, image, cow);
    Task resume(DM_DEVICE_RESUME, name);
    resume.check(dm_task_set_add_node(resume.get(), DM_ADD_NODE_ON_RESUME));
    resume.check(dm_task_set_uid(resume.get(), what.owner));
    resume.check(dm_task_set_gid(resume.get(), 0));
    resume.check(dm_task_set_mode(resume.get(), 0600));
    resume.change();
    update_nodes();
    struct stat node {};
    auto device = find_device(name);
    if (!device || ::stat(mapped.node.c_str(), &node) != 0 || node.st_rdev != device->number)
      throw failed("'{}' did not come to be", mapped.node);
  } catch (...) {
    remove_node(mapped.node);
    remove_device(name);
    throw;
  }
  return mapped;
}

void detach(const Mapping& mapping) {
  std::string name = valid_mapping(mapping);
  set_up();
  auto there = find_device(name);
  if (there && there->identity != mapping.identity) return;
  remove_node(mapping_node(mapping.tag, mapping.id));
  if (there) remove_device(name);
}

} // namespace banger::disk
