#include "ops/monitor/console_log.h"

#include <algorithm>

#include <fcntl.h>

#include "sys/copy.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// A log larger than `most` is cut from the front to `keep`.
constexpr int64_t most = int64_t{8} << 20;
constexpr int64_t keep = int64_t{4} << 20;

} // namespace

ConsoleLog::ConsoleLog(sys::Loop& loop, std::string console, std::string vmm_log, OnSign on_sign)
    : loop_(loop), console_path_(std::move(console)), vmm_path_(std::move(vmm_log)),
      on_sign_(std::move(on_sign)),
      console_(sys::open_file(console_path_, O_RDWR | O_CREAT | O_APPEND)),
      vmm_(sys::open_file(vmm_path_, O_WRONLY | O_CREAT | O_APPEND)),
      watch_(sys::watch_file(console_path_)), offset_(sys::size_of(console_.get())) {
  sys::watch_too(watch_.get(), vmm_path_);
  begin();
  loop_.watch(watch_.get(), [this] { on_change(); });
}

ConsoleLog::~ConsoleLog() {
  loop_.forget(watch_.get());
  loop_.cancel(timer_);
}

void ConsoleLog::begin() { reader_ = std::make_unique<guest::ConsoleReader>(on_sign_); }

void ConsoleLog::read() {
  int64_t end = sys::size_of(console_.get());
  // A VMM can make the log longer at once than anybody reads.
  if (end - offset_ > most) offset_ = end - keep;
  while (offset_ < end) {
    std::string bytes = sys::read_at(console_.get(), offset_, 65536);
    if (bytes.empty()) break;
    offset_ += static_cast<int64_t>(bytes.size());
    reader_->feed(bytes);
  }
}

void ConsoleLog::on_change() {
  sys::drain_events(watch_.get());
  read();
  if (sys::size_of(console_.get()) > most) {
    int64_t cut = sys::cut_front(console_.get(), keep);
    offset_ = std::max<int64_t>(0, offset_ - cut);
  }
  if (sys::size_of(vmm_.get()) > most) sys::cut_front(vmm_.get(), keep);
  // A guest that floods its console must not keep this process busy.
  loop_.forget(watch_.get());
  timer_ = loop_.after(pause_, [this] { loop_.watch(watch_.get(), [this] { on_change(); }); });
}

std::string ConsoleLog::console_tail() const { return sys::read_tail(console_path_, 4096); }
std::string ConsoleLog::vmm_tail() const { return sys::read_tail(vmm_path_, 4096); }

} // namespace banger::ops
