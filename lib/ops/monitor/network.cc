#include "ops/monitor/network.h"

#include "core/error.h"
#include "ops/monitor/place_helper.h"
#include "ops/net/open_place.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// slirp4netns has 10 s to come up, and other VMs may wait for net.lock before this one.
constexpr Millis time_to_join{60'000}, next_try{500};

} // namespace

Network::Network(Context& ctx, sys::Loop& loop, const Vm& vm, bool outbound, int errors)
    : ctx_(ctx), loop_(loop), vm_(vm.id), runtime_(vm.run->runtime_dir),
      nature_(nature_of(vm.net_mode)), place_(open_place(ctx, vm.net_mode)), outbound_(outbound),
      errors_(errors) {}

Network::~Network() { end(); }

void Network::end() {
  helper_.reset();
  loop_.cancel(again_);
  forget_keepers();
  watching_ = false;
}

void Network::ask(const char* what, Millis patience, vmm::Done done) {
  try {
    helper_ = ask_place(ctx_, loop_, {what, vm_}, runtime_, errors_, patience,
                        [this, done](std::optional<Error> fault) {
                          helper_.reset();
                          done(std::move(fault));
                        });
  } catch (const Error& e) {
    again_ = loop_.after(Millis(0), [done, e] { done(e); });
  }
}

void Network::act(const char* what, Millis patience, vmm::Done done) {
  end(); // the keepers that are watched are made anew, or go
  if (nature_.waits) return ask(what, patience, std::move(done));
  std::optional<Error> fault;
  try {
    Vm vm = ctx_.state.get_vm(vm_);
    act_in(*place_, what, vm);
  } catch (const Error& e) {
    fault = e;
  }
  again_ = loop_.after(Millis(0), [done = std::move(done), fault] { done(fault); });
}

void Network::prepare(vmm::Done done) { act("attach", time_to_join, std::move(done)); }

void Network::join(vmm::Done done) {
  act("join", time_to_join, [this, done = std::move(done)](std::optional<Error> fault) {
    if (!fault) watch();
    done(std::move(fault));
  });
}

void Network::leave(Millis patience, vmm::Done done) { act("leave", patience, std::move(done)); }

Network::Place Network::place(const Vm& vm) { return place_->attachment(vm, outbound_); }

bool Network::follow(const ProcessId& id) {
  auto opened = sys::open_process(id);
  if (!opened) return false;
  keepers_.push_back(std::move(*opened));
  loop_.watch(keepers_.back().get(), [this] { look_after(); });
  return true;
}

void Network::forget_keepers() {
  for (const Fd& fd : keepers_) loop_.forget(fd.get());
  keepers_.clear();
}

void Network::watch() {
  watching_ = true;
  look_after();
}

void Network::look_after() {
  forget_keepers();
  if (!watching_) return;
  bool complete = true;
  for (const ProcessId& keeper : place_->keepers(ctx_.state.get_vm(vm_)))
    complete = follow(keeper) && complete;
  if (complete) return;
  forget_keepers();
  // Every monitor of a VM in it does the same; the first to take net.lock repairs, the others find
  // it done.
  ask("repair", time_to_join, [this](std::optional<Error> fault) {
    if (!fault) ctx_.log.info("net.repaired");
    if (fault) ctx_.log.error("net.repair", *fault);
    again_ = loop_.after(fault ? next_try : Millis(0), [this] { look_after(); });
  });
}

} // namespace banger::ops
