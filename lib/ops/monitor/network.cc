#include "ops/monitor/network.h"

#include "core/error.h"
#include "ops/link/link.h"
#include "ops/monitor/place.h"
#include "ops/net/host_ports.h"
#include "ops/net/isolated.h"
#include "ops/net/private_net.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// slirp4netns has 10 s to come up, and others may stand before at net.lock.
constexpr Millis time_to_join{60'000}, time_to_leave{30'000}, next_try{500};

} // namespace

Network::Network(Context& ctx, sys::Loop& loop, const Vm& vm, bool outbound, int errors)
    : ctx_(ctx), loop_(loop), vm_(vm.id), runtime_(vm.run->runtime_dir),
      shared_(vm.net_mode == NetMode::user), outbound_(outbound), errors_(errors) {}

Network::~Network() { end(); }

void Network::end() {
  helper_.reset();
  loop_.cancel(again_);
  forget_keepers();
  watching_ = false;
}

void Network::ask(const char* what, Millis patience, vmm::Done done) {
  PlaceRequest request{what, vm_, ctx_.log.op(), std::string(name_of(ctx_.log.level())), ctx_.dirs};
  try {
    helper_ = std::make_unique<Helper>(
        loop_, sys::Command{{ctx_.dirs.libexec + "/banger-place", what}, {}, runtime_, false},
        to_line(request), errors_, patience, [this, done](auto line) {
          helper_.reset();
          if (!line) return done(std::move(line).error());
          std::optional<Error> fault;
          try {
            fault = parse_report(*line).error;
          } catch (const Error& e) {
            fault = e;
          }
          done(std::move(fault));
        });
  } catch (const Error& e) {
    again_ = loop_.after(Millis(0), [done, e] { done(e); });
  }
}

void Network::prepare(vmm::Done done) {
  end(); // what is watched is made anew
  if (shared_) return ask("attach", time_to_join, std::move(done));
  // Nobody else is in it: what is to be chosen is chosen at once.
  Vm vm = ctx_.state.get_vm(vm_), chosen = vm;
  choose_ports(chosen);
  record_ports(ctx_, vm, chosen);
  again_ = loop_.after(Millis(0), [done = std::move(done)] { done({}); });
}

void Network::join(vmm::Done done) {
  end();
  if (shared_)
    return ask("join", time_to_join, [this, done = std::move(done)](std::optional<Error> fault) {
      if (!fault) watch();
      done(std::move(fault));
    });
  again_ = loop_.after(Millis(0), [done = std::move(done)] { done({}); });
}

Network::Place Network::place(const Vm& vm) {
  if (!shared_) return {isolated_net(vm, outbound_), {}};
  PrivateNet::Joined joined = PrivateNet(ctx_, ctx_.dirs.libexec).where(vm);
  return {vmm::TapNet{joined.tap}, std::move(joined.where)};
}

bool Network::follow(Fd& fd, const ProcessId& id) {
  auto opened = sys::open_process(id);
  if (!opened) return false;
  fd = std::move(*opened);
  loop_.watch(fd.get(), [this] { look_after(); });
  return true;
}

void Network::forget_keepers() {
  for (Fd* fd : {&holder_, &slirp_}) {
    if (*fd) loop_.forget(fd->get());
    fd->reset();
  }
}

void Network::watch() {
  if (!shared_) return;
  watching_ = true;
  look_after();
}

void Network::look_after() {
  forget_keepers();
  if (!watching_) return;
  PrivateNet::Keepers k = PrivateNet(ctx_, ctx_.dirs.libexec).keepers(ctx_.state.get_vm(vm_));
  bool holder = follow(holder_, k.holder), slirp = follow(slirp_, k.slirp);
  if (holder && slirp) return;
  forget_keepers();
  // Every monitor of a VM in it does the same; the first to take net.lock repairs, the others find
  // it done.
  ask("repair", time_to_join, [this](std::optional<Error> fault) {
    if (!fault) ctx_.log.info("net.repaired");
    if (fault) ctx_.log.error("net.repair", *fault);
    again_ = loop_.after(fault ? next_try : Millis(0), [this] { look_after(); });
  });
}

void Network::leave(vmm::Done done) {
  end();
  if (shared_) return ask("leave", time_to_leave, std::move(done));
  again_ = loop_.after(Millis(0), [done = std::move(done)] { done({}); });
}

} // namespace banger::ops
