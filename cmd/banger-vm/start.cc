#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"
#include "ops/dns/autostart.h"
#include "ops/vm/restart.h"

namespace banger::tool {

cli::Option stop_timeout_option(const char* flag, std::optional<Millis>& timeout) {
  return {.flags = flag,
          .value = "DURATION",
          .help = "how long all may take before the VM is forced (default: vm.stop_timeout for "
                  "each gentle step, 10s; three times that under emulation)",
          .target = {cli::Duration{}, &timeout}};
}

void StartOptions::declare(cli::Spec& spec) {
  spec.options.insert(spec.options.end(), {{.flags = "--timeout",
                                            .value = "DURATION",
                                            .help = "how long the guest may take to answer",
                                            .fallback = "60s",
                                            .target = {cli::Duration{}, &timeout}},
                                           {.flags = "--no-wait",
                                            .help = "return as soon as the VMM was started",
                                            .target = &no_wait}});
}

ops::StartOptions StartOptions::get() const {
  ops::StartOptions o;
  o.wait = !no_wait;
  if (timeout) o.timeout = timeout;
  return o;
}

namespace {

struct Start : cli::Verb {
  Selection which;
  StartOptions options;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    spec.options.push_back(jobs_option(jobs));
    which.declare(spec, "VM to start");
  }

  int run(cli::App& app) override {
    ops::StartOptions how = options.get();
    auto query = which.query_in({VmState::stopped, VmState::failed});
    Batch batch(app);
    ops::DnsAutostart dns(batch.ctx, app.common_words());
    how.on_begin = [&] { dns.begin(); };
    int status = batch.on_each(
        "start", query, jobs, [&](ops::Context& ctx, const std::string& name) -> cli::Done {
          auto [vm, changed] = ops::start_vm(ctx, name, how);
          if (!changed)
            ctx.notice(
                fmt::format("'{}' {} already", vm.name,
                            vm.state == VmState::running ? "was running" : "was being started"));
          return started(vm, changed);
        });
    dns.settle();
    return status;
  }
};

struct Restart : cli::Verb {
  Selection which;
  StartOptions options;
  std::optional<Millis> stop_timeout;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    spec.options.push_back(stop_timeout_option("--stop-timeout", stop_timeout));
    spec.options.push_back(jobs_option(jobs));
    which.declare(spec, "VM to restart");
  }

  int run(cli::App& app) override {
    ops::RestartOptions how;
    how.start = options.get();
    if (stop_timeout) how.stop_timeout = stop_timeout;
    auto query = which.query_in({VmState::starting, VmState::running, VmState::paused});
    Batch batch(app);
    ops::DnsAutostart dns(batch.ctx, app.common_words());
    how.start.on_begin = [&] { dns.begin(); };
    int status = batch.on_each("restart", query, jobs,
                               [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                                 return started(ops::restart_vm(ctx, name, how).vm, true);
                               });
    dns.settle();
    return status;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_start() { return std::make_unique<Start>(); }
std::unique_ptr<cli::Verb> make_restart() { return std::make_unique<Restart>(); }

} // namespace banger::tool
