#include "ops/vm/snapshot.h"

#include <nlohmann/json.hpp>

#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"
#include "cli/terminal.h"
#include "core/units.h"
#include "ops/common/open.h"
#include "ops/dns/autostart.h"
#include "ops/query/snapshots.h"

namespace banger::tool {

namespace {

cli::Operand vm_operand(const std::string& help, std::string& name) {
  return {.name = "NAME", .help = help, .complete = cli::Complete::vms, .target = &name};
}

struct Create : cli::Verb {
  std::string vm;
  std::optional<std::string> name;

  void declare(cli::Spec& spec) override {
    spec.operands = {vm_operand("VM to make a snapshot of", vm),
                     {.name = "SNAPSHOT",
                      .help = "its name; snapshot1, snapshot2, ... where not given",
                      .required = false,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    Batch batch(app);
    ops::MadeSnapshot made = ops::make_snapshot(batch.ctx, vm, name);
    batch.progress.done();
    if (app.out.json) {
      Vm of = batch.ctx.state.get_vm(made.snapshot.vm);
      for (const ops::SeenSnapshot& seen : ops::find_snapshots(batch.ctx, {of}))
        if (seen.snapshot.id == made.snapshot.id) app.out.object("snapshot", to_json(seen));
    } else if (app.out.quiet) {
      app.out.line(made.snapshot.name);
    } else {
      app.out.line(fmt::format("{}: {}, {}; it stood still for {}", made.vm, made.snapshot.name,
                               format_size(made.used), format_duration(Seconds(made.still))));
    }
    return 0;
  }
};

struct List : cli::Verb {
  Selection which;

  void declare(cli::Spec& spec) override { which.declare(spec, "VM whose snapshots to list"); }

  int run(cli::App& app) override {
    ops::VmQuery query = which.query_or_all();
    ops::Reading in(app.settings, app.dirs);
    std::vector<std::string> unknown;
    auto all = ops::find_snapshots(in, ops::find_vms(in, query, unknown));
    std::set<int> failures;
    for (const std::string& ref : unknown) failures.insert(report_unknown(app, in, ref));
    cli::Table table({{"VM"},
                      {"SNAPSHOT"},
                      {.title = "CREATED", .goes = 1},
                      {.title = "USED", .right = true, .goes = 2},
                      {.title = "MEMORY", .right = true, .goes = 3},
                      {.title = "VMM", .goes = 4}});
    for (const ops::SeenSnapshot& s : all) {
      std::string time = to_rfc3339(s.snapshot.created).substr(0, 19);
      time[10] = ' ';
      if (app.out.json)
        app.out.object("snapshot", to_json(s));
      else if (app.out.quiet)
        app.out.line(s.snapshot.name);
      else
        table.row({s.vm, s.snapshot.name, time, format_size(s.used),
                   s.machine ? format_size(s.machine->memory) : "-",
                   s.machine ? std::string(name_of(s.machine->vmm)) : "damaged"});
    }
    if (!table.empty()) app.out.table(table);
    return cli::common_status(failures);
  }
};

struct Restore : cli::Verb {
  std::string vm, name;
  StartOptions options;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    spec.operands = {vm_operand("VM to restore", vm),
                     {.name = "SNAPSHOT",
                      .help = "the snapshot",
                      .complete = cli::Complete::snapshots,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    ops::StartOptions how = options.get();
    Batch batch(app);
    ops::DnsAutostart dns(batch.ctx, app.common_words());
    how.on_begin = [&] { dns.begin(); };
    int status = batch.on_each(
        "restore", {vm}, {}, [&](ops::Context& ctx, const std::string& ref) -> cli::Done {
          return started(ops::restore_snapshot(ctx, ref, name, how).vm, true);
        });
    dns.settle();
    return status;
  }
};

struct Remove : cli::Verb {
  std::string vm;
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    spec.operands = {vm_operand("VM that they are of", vm),
                     {.name = "SNAPSHOT",
                      .help = "snapshot to remove; - reads names from standard input",
                      .complete = cli::Complete::snapshots,
                      .target = &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    Batch batch(app);
    return batch.on_each("rm", wanted, 1,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           ops::remove_snapshot(ctx, vm, name);
                           return cli::Done("removed");
                         });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_snapshot_create() { return std::make_unique<Create>(); }
std::unique_ptr<cli::Verb> make_snapshot_list() { return std::make_unique<List>(); }
std::unique_ptr<cli::Verb> make_snapshot_restore() { return std::make_unique<Restore>(); }
std::unique_ptr<cli::Verb> make_snapshot_rm() { return std::make_unique<Remove>(); }

} // namespace banger::tool
