#include "bundle/build.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

#include "archive/sha256.h"
#include "bundle/parts.h"
#include "bundle/recipe.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/owner.h"
#include "sys/proc.h"

namespace banger::bundle {

namespace {

// Part of the inputs: raised when this code makes something else of the same inputs.
constexpr int boot_form = 1;
constexpr std::array<std::string_view, 3> boot_parts{"kernel", "kernel-elf", "initrd"};
constexpr int64_t space_needed = int64_t{1} << 30;

void check_suite(std::string_view suite) {
  bool plain = !suite.empty() && suite[0] >= 'a' && suite[0] <= 'z' &&
               suite.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == suite.npos;
  if (!plain)
    throw usage("invalid suite '{}'", escape_for_terminal(suite))
        .subject(std::string(suite))
        .hint("Debian's code names: bookworm, trixie");
}

struct Tool {
  std::string program, package;
};

// All that a build needs and this host lacks, named at once.
void preflight_check(const BundlePlan& plan, const RootSource& source, const std::string& out) {
  std::vector<Tool> tools{{"apt-get", "apt"}};
  if (plan.root) {
    tools.push_back({"mke2fs", "e2fsprogs"});
    bool minbase = source.recipe.base == Recipe::Base::minbase;
    if (minbase) tools.push_back({"mmdebstrap", "mmdebstrap"});
    if (!sys::is_root() && minbase && !has_subordinate_ids()) {
      tools.push_back({"fakeroot", "fakeroot"});
      tools.push_back({"fakechroot", "fakechroot"});
    }
  }
  std::vector<std::string> missing, packages;
  for (const Tool& tool : tools)
    if (!find_system_program(tool.program)) {
      missing.push_back(tool.program);
      packages.push_back(tool.package);
    }
  if (!sys::exists(std::string(debian_keyring))) {
    missing.emplace_back(debian_keyring);
    packages.emplace_back("debian-archive-keyring");
  }
  if (!missing.empty())
    throw preflight("cannot build a bundle: {} missing: {}",
                    missing.size() == 1 ? "this is" : "these are", join(missing, ", "))
        .hint(fmt::format("{}apt-get install {}", sys::is_root() ? "" : "sudo ",
                          join(packages, " ")));
  if (int64_t free = sys::free_space(out); free < space_needed)
    throw preflight("cannot build a bundle in '{}': {} free, {} needed", out, format_size(free),
                    format_size(space_needed))
        .hint("banger bundle build --out DIR");
  utsname host;
  ::uname(&host);
  if (std::string_view(host.machine) != "x86_64")
    throw preflight("cannot build a bundle on '{}': only amd64 is supported", host.machine);
}

void make_out(const std::string& out, const std::string& state) {
  try {
    // A bundle may be read by everyone, but not a state: where the bundle is the first thing that a
    // state gets, the state is made as private as it must be.
    if (out.starts_with(state + "/")) {
      sys::require_own("state", state, sys::find_info(state),
                       "set BANGER_STATE_DIR to a directory of your own");
      sys::make_dirs(state, 0700);
    }
    sys::make_dirs(out, 0755);
  } catch (Error& e) {
    e.default_hint("banger bundle build --out DIR");
    throw;
  }
  if (::access(out.c_str(), W_OK) != 0)
    throw preflight("cannot build a bundle in '{}': it is not writable", out)
        .hint("banger bundle build --out DIR");
}

// The bundle that is there. A description that is none is an error, unless it is to go anyway.
Bundle find_old(const BundleWish& wish) {
  try {
    if (auto old = find_bundle(wish.out)) return *std::move(old);
  } catch (const Error&) {
    if (!wish.force) throw;
  }
  Bundle none;
  none.path = wish.out;
  return none;
}

bool is_usable(const Bundle& bundle, const Part& part) {
  auto info = sys::find_info(bundle.file(part));
  return info && info->is_file && info->size == part.size;
}

// Gives a made file its name in the bundle, on the disk for good.
void adopt(Bundle& bundle, const BundleWish& wish, const std::string& name, const std::string& path,
           const std::string& inputs) {
  sys::sync_file(path);
  Part part{.name = name,
            .file = {},
            .size = sys::find_info(path)->size,
            .sha256 = archive::sha256_file(path),
            .suite = wish.suite,
            .inputs = inputs};
  part.file = fmt::format("{}-{}{}", name, part.sha256.substr(0, 12),
                          name.starts_with("root-") ? ".ext4" : "");
  sys::set_mode(path, 0644);
  sys::rename(path, bundle.file(part));
  std::erase_if(bundle.parts, [&](const Part& p) { return p.name == name; });
  bundle.parts.push_back(std::move(part));
}

// Removes the files of builds that died, and of parts that no bundle.json names any more.
void remove_old_parts(const Bundle& bundle) {
  sys::remove_unfinished(bundle.path + "/bundle.json");
  for (const std::string& name : sys::list_dir(bundle.path))
    if (is_part_file(name) &&
        !std::ranges::any_of(bundle.parts, [&](const Part& p) { return p.file == name; }))
      sys::remove_file(bundle.path + "/" + name);
}

// From here on the bundle is what was made. Parts that belong together are published together.
void publish(const Bundle& bundle) {
  sys::sync_dir(bundle.path);
  sys::write_atomic(bundle.path + "/bundle.json", to_json(bundle).dump(1) + "\n", 0644);
  remove_old_parts(bundle);
}

} // namespace

bool has_subordinate_ids() {
  if (!find_system_program("newuidmap")) return false;
  auto uid = fmt::format("{}:", ::getuid());
  const char* name = std::getenv("USER");
  std::string user = name ? fmt::format("{}:", name) : uid;
  for (const std::string& line : split(sys::find_content("/etc/subuid").value_or(""), '\n'))
    if (line.starts_with(uid) || line.starts_with(user)) return true;
  return false;
}

std::string boot_inputs(std::string_view suite, std::string_view init, std::string_view modules) {
  return archive::sha256_hex(fmt::format("boot {} {} {} {}\n{}\n{}\n", boot_form, debian_arch,
                                         suite, kernel_meta_package, archive::sha256_hex(init),
                                         archive::sha256_hex(modules)));
}

BundlePlan plan_bundle(const Bundle& old, const BundleWish& wish, const std::string& boot_inputs,
                       const std::string& root_inputs,
                       const std::function<bool(const Part&)>& usable) {
  auto stands = [&](std::string_view name, const std::string& inputs) {
    const Part* part = old.find_part(name);
    return !wish.force && part && part->inputs == inputs && usable(*part);
  };
  BundlePlan plan;
  for (std::string_view part : boot_parts) plan.boot |= !stands(part, boot_inputs);
  plan.root =
      !stands(fmt::format("root-{}", wish.variant), root_inputs) || !old.find_root(wish.variant);
  return plan;
}

bool is_part_file(std::string_view name) {
  std::string_view rest = name;
  bool root = rest.starts_with("root-");
  if (root && rest.ends_with(".ext4"))
    rest.remove_suffix(5);
  else if (root)
    return false;
  size_t dash = rest.rfind('-');
  if (dash == rest.npos || rest.size() - dash - 1 != 12) return false;
  if (rest.find_first_not_of("0123456789abcdef", dash + 1) != rest.npos) return false;
  std::string_view part = rest.substr(0, dash);
  return root ? part.size() > 5 : std::ranges::find(boot_parts, part) != boot_parts.end();
}

BundleBuilt build_bundle(const BundleWish& wish, const Dirs& dirs, Log& log, OnStage on_stage) {
  check_suite(wish.suite);
  std::string runtime = dirs.share + "/runtime", init = dirs.libexec + "/banger-init";
  RootSource source = load_root_source(runtime, wish.variant, wish.suite);
  for (const std::string& file : {init, runtime + "/modules"})
    if (!sys::exists(file))
      throw preflight("cannot build a bundle: '{}' is missing", file)
          .hint("build and install banger as a whole");
  std::string modules = sys::read_file(runtime + "/modules");
  std::string boot = boot_inputs(wish.suite, sys::read_file(init), modules);

  make_out(wish.out, dirs.state);
  std::string lock_file = wish.out + "/" + build_lock;
  auto lock = sys::FileLock::try_take(lock_file);
  if (!lock) {
    if (on_stage) on_stage("waiting for another build");
    lock = sys::FileLock::take(lock_file);
  }
  BundleWork::remove_stale(wish.out);

  BundleBuilt result{.bundle = find_old(wish), .built = {}};
  Bundle& bundle = result.bundle;
  BundlePlan plan = plan_bundle(bundle, wish, boot, source.inputs,
                                [&](const Part& p) { return is_usable(bundle, p); });
  if (plan == BundlePlan{}) {
    remove_old_parts(bundle);
    return result;
  }
  preflight_check(plan, source, wish.out);

  BundleWork work(wish.out, log, std::move(on_stage));
  DebianArchive archive(work, wish.suite);
  bundle.arch = debian_arch;
  auto take = [&](const std::string& name, const std::string& path, const std::string& inputs) {
    adopt(bundle, wish, name, path, inputs);
    result.built.push_back(name);
  };
  if (plan.boot) {
    MadeBoot made = make_boot(work, archive, init, modules);
    take("kernel", made.kernel, boot);
    take("kernel-elf", made.kernel_elf, boot);
    take("initrd", made.initrd, boot);
    bundle.kernel_release = made.kernel_release;
    bundle.suite = wish.suite;
    bundle.name = fmt::format("debian-{}-{}", wish.suite, debian_arch);
    publish(bundle);
  }
  if (plan.root) {
    MadeRoot made = make_root(work, archive, source);
    work.stage("finishing");
    take(fmt::format("root-{}", wish.variant), made.path, source.inputs);
    std::erase_if(bundle.roots, [&](const Root& r) { return r.variant == wish.variant; });
    bundle.roots.push_back({.variant = wish.variant,
                            .packages_hash = archive::sha256_hex(source.packages),
                            .packages = source.packages,
                            .installed = made.installed});
    publish(bundle);
  }
  return result;
}

} // namespace banger::bundle
