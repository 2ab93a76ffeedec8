// A program's work for the benchmarks and some tests: fill a state, time processes.
//
//   seed STATE-DIR COUNT             an image and VMs seed-1 …, with labels and ports; prints
//                                    "tag TTTT", then "NAME ID" of each VM
//   pairs COUNT A… -- B…             runs A B A B …; prints the medians {"a":S,"b":S}
//   many COUNT CMD…                  COUNT at once, "{}" is 1 …; prints {"failed":N,"seconds":S}
//   writers STATE-DIR COUNT SECONDS  prints {"worst_wait":S,"slowest":N,"fastest":N} (commits)
//   write STATE-DIR                  changes the VMs, one after another, until it is ended
//   copy FROM DIR COUNT              sys::copy_sparse beside the two calls by hand {"a":S,"b":S}
//   reflink IMAGE DIR COUNT          a root disk by reflink beside FICLONE and fsync {"a":S,"b":S}
#include <algorithm>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/units.h"
#include "disk/root.h"
#include "state/state.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/process.h"
#include "timing.h"

using namespace banger;
using bench::median;

namespace {

using Words = std::vector<std::string>;

double seconds_since(SteadyTime t) { return Seconds(steady_now() - t).count(); }

int number(const std::string& word) {
  return static_cast<int>(parse_number("number", word, 1, 1'000'000));
}

state::State open_state(const std::string& dir, state::Mode mode = state::Mode::write) {
  Dirs dirs;
  dirs.state = dir;
  return state::State::open(dirs, mode);
}

void seed(const std::string& dir, int count) {
  auto state = open_state(dir);
  Image image;
  image.id = new_id();
  image.name = "seed";
  image.ready = true;
  image.source = "banger-bench";
  state.transaction([&] {
    if (!state.find_image("seed")) state.add_image(image);
    image = state.get_image("seed");
    for (int i = 1; i <= count; ++i) {
      Vm vm;
      vm.id = new_id();
      vm.name = fmt::format("seed-{}", i);
      vm.image_id = image.id;
      vm.image_name = image.name;
      vm.state = VmState::stopped;
      vm.memory = int64_t{512} << 20;
      vm.root_size = int64_t{2} << 30;
      vm.address = "10.0.2.15";
      vm.gateway = "10.0.2.2";
      vm.mac = "52:54:00:00:00:01";
      vm.created = wall_now();
      vm.labels = {{"job", std::to_string(i % 10)}};
      vm.ports = {{"tcp", "", 8080, 80}};
      state.add_vm(vm);
    }
  });
  fmt::print("tag {}\n", state.tag());
  for (const Vm& vm : state.vms()) fmt::print("{} {}\n", vm.name, vm.id);
}

// One process, its output thrown away; the time from before its start until it was reaped.
double time_one(const Words& argv) {
  auto began = steady_now();
  sys::ExitStatus status = sys::spawn({argv, {}, {}, false}, {-1, -1, 2, {}}).wait();
  double took = seconds_since(began);
  if (!status.ok()) throw failed("{} failed ({})", argv[0], status.text());
  return took;
}

// Alternating, so that whatever slows the machine down slows both; the first pair is not counted.
void compare(int count, const std::function<double()>& a, const std::function<double()>& b) {
  std::vector<double> as, bs;
  a(), b();
  for (int i = 0; i < count; ++i) {
    as.push_back(a());
    bs.push_back(b());
  }
  fmt::print("{{\"a\":{:.7f},\"b\":{:.7f}}}\n", median(as), median(bs));
}

void pairs(int count, const Words& words) {
  auto between = std::find(words.begin(), words.end(), "--");
  if (between == words.end()) throw usage("'--' is missing between the two commands");
  Words a(words.begin(), between), b(between + 1, words.end());
  compare(
      count, [&] { return time_one(a); }, [&] { return time_one(b); });
}

void many(int count, const Words& words) {
  auto began = steady_now();
  std::vector<sys::Child> children;
  for (int i = 1; i <= count; ++i) {
    Words argv = words;
    for (std::string& word : argv)
      if (size_t at = word.find("{}"); at != std::string::npos)
        word.replace(at, 2, std::to_string(i));
    children.push_back(sys::spawn({argv, {}, {}, false}, {-1, -1, 2, {}}));
  }
  int bad = 0;
  for (sys::Child& child : children)
    if (!child.wait().ok()) ++bad;
  fmt::print("{{\"failed\":{},\"seconds\":{:.6f}}}\n", bad, seconds_since(began));
}

struct Tally {
  int done;
  double worst;
};

void writers(const std::string& dir, int count, int seconds) {
  auto* tallies =
      static_cast<Tally*>(::mmap(nullptr, sizeof(Tally) * static_cast<size_t>(count),
                                 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (tallies == MAP_FAILED) throw sys_error(errno, "cannot map memory");
  auto end = steady_now() + std::chrono::seconds(seconds);
  std::vector<int> pids;
  for (int i = 0; i < count; ++i) {
    int pid = ::fork();
    if (pid == 0) {
      auto state = open_state(dir);
      Tally mine{};
      while (steady_now() < end) {
        auto began = steady_now();
        state.set_fact(fmt::format("writer.{}", i), std::to_string(mine.done));
        mine.worst = std::max(mine.worst, seconds_since(began));
        ++mine.done;
      }
      tallies[i] = mine;
      ::_exit(0);
    }
    pids.push_back(pid);
  }
  for (int pid : pids) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) throw failed("a writer failed");
  }
  auto less = [](const Tally& a, const Tally& b) { return a.done < b.done; };
  auto [slowest, fastest] = std::minmax_element(tallies, tallies + count, less);
  double worst = 0;
  for (int i = 0; i < count; ++i) worst = std::max(worst, tallies[i].worst);
  fmt::print("{{\"worst_wait\":{:.6f},\"slowest\":{},\"fastest\":{}}}\n", worst, slowest->done,
             fastest->done);
}

void write(const std::string& dir) {
  auto state = open_state(dir);
  for (int64_t i = 0;; ++i)
    for (const Vm& vm : state.vms())
      state.change_vm(vm.id, [&](Vm& v) { v.labels["turn"] = std::to_string(i); });
}

// The two calls that a copy of a sparse file takes, with nothing around them.
double copy_by_hand(const std::string& from, const std::string& to) {
  auto began = steady_now();
  Fd in = sys::open_file(from, O_RDONLY), out = sys::open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  off_t size = ::lseek(in.get(), 0, SEEK_END), at = 0;
  if (::ftruncate(out.get(), size) != 0) throw sys_error(errno, "cannot set the size of '{}'", to);
  while ((at = ::lseek(in.get(), at, SEEK_DATA)) >= 0) {
    off_t hole = ::lseek(in.get(), at, SEEK_HOLE);
    while (at < hole) {
      off_t to_offset = at;
      ssize_t n = ::copy_file_range(in.get(), &at, out.get(), &to_offset,
                                    static_cast<size_t>(hole - at), 0);
      if (n <= 0) throw sys_error(errno, "cannot copy '{}'", from);
    }
  }
  double took = seconds_since(began);
  sys::remove_file(to);
  return took;
}

void copy(const std::string& from, const std::string& dir, int count) {
  compare(
      count,
      [&] {
        auto began = steady_now();
        sys::copy_sparse(from, dir + "/a");
        double took = seconds_since(began);
        sys::remove_file(dir + "/a");
        return took;
      },
      [&] { return copy_by_hand(from, dir + "/b"); });
}

double clone_by_hand(const std::string& from, const std::string& to) {
  auto began = steady_now();
  Fd in = sys::open_file(from, O_RDONLY), out = sys::open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  if (::ioctl(out.get(), FICLONE, in.get()) != 0 || ::fsync(out.get()) != 0)
    throw sys_error(errno, "cannot clone '{}'", from);
  double took = seconds_since(began);
  sys::remove_file(to);
  return took;
}

void reflink(const std::string& image, const std::string& dir, int count) {
  disk::RootPlan plan;
  plan.way = RootWay::reflink;
  plan.from = image;
  plan.to = dir + "/a";
  plan.size = sys::find_info(image)->size;
  compare(
      count,
      [&] {
        auto began = steady_now();
        disk::make_root(plan);
        double took = seconds_since(began);
        sys::remove_file(plan.to);
        return took;
      },
      [&] { return clone_by_hand(image, dir + "/b"); });
}

int run(const Words& words) {
  size_t n = words.size();
  std::string verb = n > 0 ? words[0] : "";
  if (verb == "seed" && n == 3)
    seed(words[1], number(words[2]));
  else if (verb == "pairs" && n > 2)
    pairs(number(words[1]), {words.begin() + 2, words.end()});
  else if (verb == "many" && n > 2)
    many(number(words[1]), {words.begin() + 2, words.end()});
  else if (verb == "writers" && n == 4)
    writers(words[1], number(words[2]), number(words[3]));
  else if (verb == "write" && n == 2)
    write(words[1]);
  else if (verb == "copy" && n == 4)
    copy(words[1], words[2], number(words[3]));
  else if (verb == "reflink" && n == 4)
    reflink(words[1], words[2], number(words[3]));
  else
    throw usage("see the head of tests/bench/tool.cc");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const Error& e) {
    fmt::print(stderr, "banger-bench: {}\n", e.message());
    return exit_status(e.code());
  }
}
