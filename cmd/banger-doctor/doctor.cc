#include "banger-doctor/doctor.h"

#include <nlohmann/json.hpp>

#include "cli/app.h"
#include "cli/checks.h"
#include "common/work.h"
#include "model/endpoint.h"
#include "ops/common/open.h"
#include "ops/dns/status.h"
#include "ops/host/doctor.h"
#include "ops/recover/leaks.h"
#include "ops/smoke/smoke.h"
#include "state/state.h"

namespace banger::tool {

namespace {

std::optional<Endpoint> parse_to(std::string_view text) {
  return parse_endpoint("address outside", text);
}

struct Doctor : cli::Verb {
  bool leaks = false, fix = false, smoke = false, nat = false;
  std::optional<std::string> backup;
  std::optional<Endpoint> to;

  void declare(cli::Spec& spec) override {
    spec.options = {
        {.flags = "--leaks", .help = "find what was left over of this state", .target = &leaks},
        {.flags = "--fix", .help = "remove what --leaks finds", .target = &fix, .destroys = true},
        {.flags = "--smoke",
         .help = "run a VM that is removed again, and try what it is for",
         .target = &smoke},
        {.flags = "--nat",
         .help = "with --smoke: on the host's network, out by NAT",
         .target = &nat},
        {.flags = "--to",
         .value = "ADDRESS:PORT",
         .help = "with --smoke: where outside its VM is to get, by TCP",
         .target = {cli::As<parse_to>{}, &to}},
        {.flags = "--backup",
         .value = "FILE",
         .help = "write a copy of the state file",
         .complete = cli::Complete::files,
         .target = &backup}};
  }

  int run(cli::App& app) override {
    if (backup && (leaks || fix)) throw usage("--backup goes with neither --leaks nor --fix");
    if (smoke && (leaks || fix || backup))
      throw usage("--smoke goes with neither --leaks, --fix nor --backup");
    if (!smoke && (nat || to)) throw usage("--nat and --to go with --smoke");
    if (backup) return run_backup(app);
    if (smoke) return run_smoke(app);
    if (leaks || fix) return run_leaks(app);
    return run_checks(app);
  }

  static int run_checks(cli::App& app) {
    cli::CheckPrinter printer(app);
    for (const ops::Check& c : ops::check_host(app.settings, app.dirs))
      printer.add(c.id, name_of(c.verdict), c.found, c.fix);
    ops::Check names = ops::check_names(app.settings, app.dirs);
    printer.add(names.id, name_of(names.verdict), names.found, names.fix);
    return printer.finish();
  }

  int run_smoke(cli::App& app) const {
    Work work(app);
    cli::CheckPrinter printer(app);
    auto failed = ops::smoke(work.ctx, {nat, to}, [&](const ops::Check& c) {
      printer.add(c.id, name_of(c.verdict), c.found, c.fix);
    });
    work.progress.done();
    printer.finish();
    return failed ? exit_status(*failed) : 0;
  }

  int run_leaks(cli::App& app) const {
    ops::Reading in(app.settings, app.dirs);
    auto found = ops::find_leaks(in, [&](const std::string& what, const std::string& mend) {
      app.notice(mend.empty() ? what : fmt::format("{}; to mend it: {}", what, mend));
    });
    if (fix) {
      std::vector<std::string> names;
      for (const ops::Leak& leak : found) names.push_back(leak.name);
      return app.for_each("fix", names, [&](const std::string& name) {
        for (const ops::Leak& leak : found)
          if (leak.name == name) ops::remove_leak(in, leak);
        return std::string();
      });
    }
    cli::Table table({{"OBJECT", false, false}, {"NAME", false, true}, {"OWNER", false, false}});
    for (const ops::Leak& leak : found) {
      if (app.out.json) {
        cli::Json owner_or_null = leak.owner.empty() ? cli::Json() : cli::Json(leak.owner);
        app.out.object("leak",
                       {{"object", leak.object}, {"name", leak.name}, {"owner", owner_or_null}});
      } else if (app.out.quiet) {
        app.out.line(leak.name);
      } else {
        table.row({leak.object, leak.name, leak.owner.empty() ? "-" : leak.owner});
      }
    }
    if (!table.empty()) app.out.table(table);
    return found.empty() ? 0 : exit_status(Code::failed);
  }

  int run_backup(cli::App& app) const {
    auto state = state::State::open(app.dirs, state::Mode::read);
    return app.for_each("backup", {*backup}, [&](const std::string& file) {
      state.backup(file);
      return std::string();
    });
  }
};

} // namespace

cli::VerbEntry entry() {
  return {
      .name = "",
      .summary = "check this machine, try it, find what was left over, back up the state",
      .manual =
          R"(Without options every check is made and told: KVM, QEMU, Firecracker and what is known to be broken in its version, banger's own programs, e2fsprogs, ssh, the private network, mmdebstrap, the bundle, the state directory, the ssh key, free space, the runtime directory, how many files may be open and followed, and whether this host's programs find VMs by their names. A check is ok, warn (VMs run all the same) or missing, and says what mends it. The exit status is 5 if anything is missing.

--leaks names what carries this state's tag, or lies in its directories, and belongs to no VM and no image that the state knows: processes, runtime directories, directories of VMs and images, temporary files of writers that died, what a killed `banger bundle build` left, taps and forwards of the private network and processes in it, loop devices on the state's files, and what there is of its bridge that it does not want: links, tables, rules in others' firewalls, settings, the record in /run/banger. Bridges of states that are no more are among them. Who may not start banger's helper sees only the links, and is told so. The exit status is 0 if there is nothing, else 1. Whatever has a row in the state is no leak: the next command that changes something brings that in order.

--fix ends and removes them. A VM's directory holds its disks: look at --leaks first. What is older than the state file itself is left alone, since a state file that was moved aside may know it.

--smoke tries what no look proves: a VM that is made for it, of the default image and under a name of its own, must answer over ssh, find its own name and ask for others', get outside by TCP (--to says where), and be reached by a published port; then it is removed, and nothing may be left of it. --nat has it on the network `bridge`, which is brought up for that long where it is down (the default of other VMs stays what it was), looks at the host's rules for it, and at what was counted as gone out by NAT. A step is ok, missing (it failed), or warn (it could not be tried here, and why). The exit status is 0 unless one failed. Whatever ends this command, its VM ends with it, and the bridge that it brought up.

--backup writes a consistent copy of the state file, whatever runs meanwhile. FILE must not exist. It can be put back as state.db in an empty state directory.)",
      .examples = {{"banger doctor", "check this machine"},
                   {"banger doctor --json | jq -r 'select(.status!=\"ok\") | .fix'",
                    "the commands that mend it"},
                   {"banger doctor --leaks", "see what was left over"},
                   {"banger doctor --smoke --nat", "try a VM on the host's network, and remove it"},
                   {"banger doctor --backup ~/banger.db", "keep a copy of the state file"}},
      .objects = {"check", "leak", "result"},
      .make = [] { return std::make_unique<Doctor>(); }};
}

} // namespace banger::tool
