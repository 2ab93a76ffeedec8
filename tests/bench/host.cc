// What the host does for a VM's create and start, apart from VMM, kernel and guest:
//
//   banger-bench-host VM IMAGE DIR COUNT    `VM create` and `VM start --no-wait` with a stub for
//                                           QEMU (stub_vmm.cc; the caller's environment names it),
//                                           beside the sum of its primitives, each measured alone;
//                                           prints the medians {"a":S,"b":S}
//
// VM is banger-vm, IMAGE the file that a root disk is copied of. The primitives: that copy, by the
// two calls that it takes; the commits, each durable; the programs, each started once and awaited
// (the two verbs, the monitor, the VMM, the one that makes keys, the one that waits for ssh). The
// network's two are banger-bench-net's, which the caller adds.
#include <cstdio>

#include <sqlite3.h>

#include "core/error.h"
#include "core/units.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/process.h"
#include "timing.h"

using namespace banger;
using bench::median, bench::seconds_of;

namespace {

// create: creating, stopped. start: starting, the monitor's name, its VMM.
constexpr int commits = 5, programs = 6;

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

private:
  void sql(const char* text) {
    if (sqlite3_exec(db_, text, nullptr, nullptr, nullptr) != SQLITE_OK)
      throw failed("{}", sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
};

void share(const std::string& vm, const std::string& image, const std::string& dir, int count) {
  Commits db(dir + "/primitives.db");
  std::string self = sys::read_link("/proc/self/exe").value();
  std::vector<double> ours, theirs;
  for (int i = 0; i <= count; ++i) {
    std::string name = fmt::format("share-{}", i);
    double a = seconds_of([&] {
      run({vm, "create", "--image", "tiny", "--accel", "tcg", name});
      run({vm, "start", "--no-wait", name});
    });
    std::string copy = dir + "/copy";
    double b = seconds_of([&] { sys::copy_sparse(image, copy); });
    sys::remove_file(copy);
    b += seconds_of([&] {
      for (int n = 0; n < commits; ++n) db.one();
    });
    b += seconds_of([&] {
      for (int n = 0; n < programs; ++n) run({self, "nothing"});
    });
    run({vm, "rm", "--force", name});
    if (i == 0) continue; // the image is taken over, keys are made
    ours.push_back(a);
    theirs.push_back(b);
  }
  fmt::print("{{\"a\":{},\"b\":{}}}\n", median(ours), median(theirs));
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "nothing") return 0;
  try {
    if (argc != 5) throw usage("usage: banger-bench-host VM IMAGE DIR COUNT");
    share(argv[1], argv[2], argv[3], static_cast<int>(parse_number("count", argv[4], 1, 10'000)));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-bench-host: %s\n", e.what());
    return exit_status(e.code());
  }
}
