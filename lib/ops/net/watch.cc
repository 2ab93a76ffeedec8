#include "ops/net/watch.h"

#include "core/error.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr Millis next_try{500};

} // namespace

bool NetWatch::follow(Fd& fd, const ProcessId& id) {
  if (fd) loop_.forget(fd.get());
  fd.reset();
  auto opened = sys::open_process(id);
  if (!opened) return false;
  fd = std::move(*opened);
  loop_.watch(fd.get(), [this] { on_death(); });
  return true;
}

void NetWatch::begin() {
  watching_ = true;
  PrivateNet::Keepers k = net_.keepers();
  bool both = follow(holder_, k.holder);
  both = follow(slirp_, k.slirp) && both;
  if (!both) on_death();
}

void NetWatch::end() {
  watching_ = false;
  for (Fd* fd : {&holder_, &slirp_}) {
    if (*fd) loop_.forget(fd->get());
    fd->reset();
  }
}

void NetWatch::on_death() {
  end();
  watching_ = true;
  try {
    net_.repair();
    PrivateNet::Keepers k = net_.keepers();
    bool holder = follow(holder_, k.holder), slirp = follow(slirp_, k.slirp);
    if (holder && slirp) return ctx_.log.info("net.repaired");
  } catch (const Error& e) {
    ctx_.log.error("net.repair", e);
  }
  end();
  watching_ = true;
  loop_.after(next_try, [this] {
    if (watching_) on_death();
  });
}

} // namespace banger::ops
