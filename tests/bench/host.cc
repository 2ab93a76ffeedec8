// The host's own work for a VM's create and start, apart from VMM, kernel and guest:
//
//   banger-bench-host VM DIR COUNT    `VM create` and `VM start --no-wait` with a stub for QEMU
//                                     (stub_vmm.cc; the caller's environment names it), beside the
//                                     sum of its primitives, each measured alone; prints the
//                                     medians {"a":S,"b":S}
//
// VM is banger-vm. Another VM of the state must run, so that the network is there; those that are
// made stay, for ext4 takes long over new files where others have just been removed. The
// primitives: the commits, as many as there are, each on the disk or not as theirs; the programs,
// each started once and awaited (the two verbs, the monitor, the VMM, the one that makes keys and
// waits for ssh). An overlay's empty disk costs next to nothing and is not counted. The network's
// two are banger-bench-net's, which the caller adds.
#include <cstdio>

#include <sqlite3.h>

#include "core/error.h"
#include "core/units.h"
#include "sys/file.h"
#include "sys/process.h"
#include "timing.h"

using namespace banger;
using bench::median, bench::seconds_of;

namespace {

// create: creating, stopped. start: starting, the monitor's name, its tap, its VMM.
constexpr int durable_commits = 2, passing_commits = 4, programs = 5;

void run(const std::vector<std::string>& argv) {
  sys::ExitStatus status = sys::spawn({argv, {}, {}, false}, {-1, -1, 2, {}}).wait();
  if (!status.ok()) throw failed("{} {} failed ({})", argv[0], argv[1], status.text());
}

class Commits {
public:
  explicit Commits(const std::string& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw failed("cannot open '{}'", file);
    sql("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x)");
  }
  ~Commits() { sqlite3_close(db_); }
  void one() { sql("BEGIN IMMEDIATE; INSERT INTO t VALUES (randomblob(400)); COMMIT"); }
  void be_durable(bool on) { sql(on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"); }

private:
  void sql(const char* text) {
    if (sqlite3_exec(db_, text, nullptr, nullptr, nullptr) != SQLITE_OK)
      throw failed("{}", sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
};

void share(const std::string& vm, const std::string& dir, int count) {
  Commits db(dir + "/primitives.db");
  std::string self = sys::read_link("/proc/self/exe").value();
  std::vector<double> ours, theirs;
  for (int i = 0; i <= count; ++i) {
    std::string name = fmt::format("share-{}", i);
    double a = seconds_of([&] {
      run({vm, "create", "--image", "tiny", "--accel", "tcg", "--memory", "64M", name});
      run({vm, "start", "--no-wait", name});
    });
    double b = seconds_of([&] {
      db.be_durable(true);
      for (int n = 0; n < durable_commits; ++n) db.one();
      db.be_durable(false);
      for (int n = 0; n < passing_commits; ++n) db.one();
    });
    b += seconds_of([&] {
      for (int n = 0; n < programs; ++n) run({self, "nothing"});
    });
    if (i == 0) continue; // keys are made
    ours.push_back(a);
    theirs.push_back(b);
  }
  fmt::print("{{\"a\":{},\"b\":{}}}\n", median(ours), median(theirs));
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "nothing") return 0;
  try {
    if (argc != 4) throw usage("usage: banger-bench-host VM DIR COUNT");
    share(argv[1], argv[2], static_cast<int>(parse_number("count", argv[3], 1, 10'000)));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-bench-host: %s\n", e.what());
    return exit_status(e.code());
  }
}
