#include "init/init.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>

#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace banger::init;

namespace {

constexpr const char* new_root = "/newroot";

bool mount_kernel_file_systems() {
  struct {
    const char *type, *place;
    unsigned long flags;
    const char* options;
  } constexpr mounts[] = {{"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
                          {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr},
                          {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr}};
  for (const auto& m : mounts) {
    mkdir(m.place, 0755);
    if (mount(m.type, m.place, m.type, m.flags, m.options) < 0 && errno != EBUSY)
      return fail("cannot mount '%s': %m", m.place);
  }
  // Links that every program expects, and no kernel makes.
  constexpr const char* links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                      {"/proc/self/fd/0", "/dev/stdin"},
                                      {"/proc/self/fd/1", "/dev/stdout"},
                                      {"/proc/self/fd/2", "/dev/stderr"}};
  for (const auto& [target, path] : links)
    if (symlink(target, path) < 0 && errno != EEXIST) return fail("cannot make '%s': %m", path);
  mkdir("/dev/pts", 0755);
  mkdir("/dev/shm", 01777);
  return true;
}

bool read_seed(Seed& seed) {
  std::string_view text = read_whole("/banger/seed");
  // Lost without a trace when the archive before it does not end on a 4-byte boundary.
  if (!text.data()) return fail("there is no seed: %m");
  if (const char* key = parse_seed(text, seed)) return fail("the value of '%s' is unusable", key);
  if (*seed.hostname && sethostname(seed.hostname, strlen(seed.hostname)) < 0)
    return fail("cannot set the host name: %m");
  return true;
}

bool place_seed_files() {
  int from = open("/banger/files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (from < 0) return errno == ENOENT || fail("cannot read the seed's files: %m");
  int root = open(new_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return fail("cannot open the root: %m");
  bool ok = place_files(from, root, 0);
  close(root);
  close(from);
  return ok;
}

[[noreturn]] void give_up(const char* stage) {
  say_failure(stage);
  drain_console();
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause(); // the first process may not end
}

void check(const char* stage, bool ok) {
  if (!ok) give_up(stage);
  say_stage(stage);
}

} // namespace

int main() {
  if (getpid() != 1) return 1; // it would change the host that it was run on by mistake
  umask(0022);
  bool mounted = mount_kernel_file_systems();
  open_console();
  check("start", mounted);

  std::string_view module_list = read_whole("/banger/modules");
  if (!module_list.data()) give_up((fail("there is no list of modules: %m"), "modules"));
  check("modules", load_modules(module_list, false));

  static Seed seed;
  check("seed", read_seed(seed));

  if (configure_net(seed))
    say_stage("net");
  else
    say_failure("net"); // a machine without a network is still one, and its console tells

  check("disk", mount_root(seed, module_list, new_root) && mount_work(seed, new_root));
  check("files", place_seed_files());
  switch_root(new_root, seed.init, [] { say_stage("switch"); });
  give_up("switch");
}
