// The words to a monitor and from it, as the build of schema 1 spelt them (recorded of commit
// 486ffbf), and as a build of tomorrow may.
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/message.h"
#include "net/holder.h"
#include "ops/link/client.h"
#include "ops/link/link.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/proc.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

Error thrown_by(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  return failed("nothing was thrown");
}

// A monitor that gives `answer` to whoever asks, and closes; it keeps what it was asked.
class FakeMonitor {
public:
  explicit FakeMonitor(std::string answer) {
    if (!::mkdtemp(root_.data())) throw sys_error(errno, "cannot make a directory");
    places.monitor_socket = root_ + "/monitor.sock";
    vm.run.emplace().monitor = sys::this_process();
    listener_ = sys::listen_unix(places.monitor_socket);
    thread_ = std::thread([this, answer = std::move(answer)] {
      sys::wait_readable(listener_.get(), Millis(30'000));
      auto peer = sys::accept_one(listener_.get());
      if (!peer) return;
      asked = sys::LineReader(peer->get()).next(Millis(30'000)).value_or("");
      sys::send_all(peer->get(), answer);
    });
  }
  ~FakeMonitor() {
    join();
    sys::remove_tree(root_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  Places places;
  Vm vm;
  std::string asked; // after join()

private:
  std::string root_ =
      (std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + std::string("/bl.XXXXXX");
  Fd listener_;
  std::thread thread_;
};

constexpr Millis patience{30'000};

TEST(MonitorLink, WhoListensIsTheRecordedMonitor) {
  std::string root = ::testing::TempDir() + "bl.XXXXXX";
  ASSERT_TRUE(::mkdtemp(root.data()));
  Places places;
  places.monitor_socket = root + "/monitor.sock";
  Fd listener = sys::listen_unix(places.monitor_socket);
  ProcessId self = sys::this_process();
  Vm vm;
  vm.run.emplace().monitor = self;
  EXPECT_NO_THROW(connect_monitor(places, vm));
  sys::accept_one(listener.get());
  auto is_refused = [&] {
    Error e = thrown_by([&] {
      ask_monitor(places, vm, {"kill", Millis(0)}, {Millis(2'000)}, [](const Report&) {});
    });
    EXPECT_EQ(sys::read_some(sys::accept_one(listener.get())->get(), 100), ""); // nothing was asked
    return e.code() == Code::unreachable &&
           e.message() == fmt::format("'{}' is not the socket of its monitor: process {} listens "
                                      "there",
                                      places.monitor_socket, self.pid);
  };
  // Another process, one that has had its number, and none that is recorded.
  vm.run->monitor = *sys::find_process(::getppid());
  EXPECT_TRUE(is_refused());
  vm.run->monitor = self;
  vm.run->monitor.start_time++;
  EXPECT_TRUE(is_refused());
  vm.run.reset();
  EXPECT_TRUE(is_refused());
  sys::remove_tree(root);
}

TEST(MonitorLink, MessagesSurviveTheWay) {
  MonitorRequest r;
  r.vm = "0123456789ab";
  r.kernel = "/a \"b\"";
  r.accel = Accel::kvm;
  r.tsc_khz = 2'445'000;
  r.adopt = true;
  r.settings.net_isolated_outbound = true;
  r.settings.vm_stop_timeout = Millis(1234);
  r.settings.vm_root = RootWay::overlay;
  EXPECT_EQ(parse_monitor_request(to_line(r)), r);

  Report failure{Report::Kind::failed, {}, {}, preflight("missing '{}'", "x").hint("get it"), {}};
  Report back = parse_report(to_line(failure));
  ASSERT_TRUE(back.error);
  EXPECT_EQ(back.error->code(), Code::preflight);
  EXPECT_EQ(back.error->message(), "missing 'x'");
  EXPECT_EQ(back.error->hint(), "get it");

  Ask a = parse_ask(to_line(Ask{"stop", Millis(1500)}));
  EXPECT_EQ(a.verb, "stop");
  EXPECT_EQ(a.timeout, Millis(1500));
  EXPECT_EQ(a.id, 0);
  EXPECT_EQ(parse_ask(to_line(Ask{"stop", Millis(1500), {}, 7})).id, 7);

  Report done{Report::Kind::done, {}, {}, {}, "stopped", 7};
  EXPECT_EQ(parse_report(to_line(done)).kind, Report::Kind::done);
  EXPECT_EQ(parse_report(to_line(done)).id, 7);
  EXPECT_EQ(parse_report(to_line(done)).state, "stopped");
  EXPECT_FALSE(parse_report(to_line(stage_report("ssh", ""))).id);
  EXPECT_FALSE(parse_report(to_line(done)).memory);
  done.memory = vmm::GuestMemory{3, 1, 2};
  EXPECT_EQ(parse_report(to_line(done)).memory, done.memory);
  EXPECT_FALSE(parse_report(to_line(done)).counters);
  for (const vmm::Counters& c :
       {vmm::Counters(),
        vmm::Counters{{{"root", 1, 2, 3, 4, 5, 6}}, vmm::NetCounters{7, 8, 9}, 10}}) {
    done.counters = c;
    EXPECT_EQ(parse_report(to_line(done)).counters, c);
  }
  EXPECT_THROW(parse_report(R"({"v":1,"event":"done","memory":{"total":"x"}})"), Error);
  EXPECT_THROW(parse_report(R"({"v":1,"event":"done","memory":[]})"), Error);
}

TEST(MonitorLink, RubbishIsAnErrorAndNewKeysAreNot) {
  EXPECT_THROW(parse_ask("not json"), Error);
  EXPECT_THROW(parse_ask("[1,2]"), Error);
  EXPECT_THROW(parse_report("{\"event\":\"ready\"}"), Error);
  EXPECT_EQ(parse_ask("{\"v\":1,\"verb\":\"kill\",\"new\":[1]}").verb, "kill");
}

} // namespace

TEST(MonitorLink, StopOfAMonitorOfBefore) {
  FakeMonitor before(
      "{\"v\":1,\"event\":\"stage\",\"stage\":\"asking\",\"text\":\"asking the guest to stop\"}\n"
      "{\"v\":1,\"event\":\"ended\",\"state\":\"stopped\"}\n");
  std::vector<std::string> stages;
  Report end = ask_monitor(before.places, before.vm, {"stop", Millis(10'000)}, {patience},
                           [&](const Report& r) { stages.push_back(r.stage + ": " + r.text); });
  before.join();
  EXPECT_EQ("stopped", end.state);
  EXPECT_EQ(std::vector<std::string>{"asking: asking the guest to stop"}, stages);
  // And that one understood these words alone; the order of keys is no matter, and one that it does
  // not know, the id, is passed over.
  Json asked = Json::parse(before.asked);
  EXPECT_EQ(1, asked.erase("id"));
  EXPECT_EQ("{\"v\":1,\"verb\":\"stop\",\"timeout_ms\":10000}", asked.dump());
}

TEST(MonitorLink, VerbThatAMonitorOfBeforeHasNot) {
  FakeMonitor before("{\"v\":1,\"event\":\"failed\",\"error\":{\"code\":\"failed\",\"message\":"
                     "\"the monitor does not know 'console'\",\"subject\":\"\",\"hint\":"
                     "\"it is of another version: stop and start the VM\",\"log\":\"\"}}\n");
  Error e = thrown_by([&] {
    ask_monitor(before.places, before.vm, {"console", Millis(0), "x"}, {patience},
                [](const Report&) {});
  });
  EXPECT_EQ(Code::failed, e.code());
  EXPECT_EQ("the monitor does not know 'console'", e.message());
  EXPECT_EQ("it is of another version: stop and start the VM", e.hint());
}

TEST(MonitorLink, MonitorOfTomorrow) {
  // Stages, keys and codes that are not known yet are passed over.
  FakeMonitor tomorrow("{\"v\":1,\"event\":\"weather\",\"sun\":[1,2]}\n"
                       "{\"v\":1,\"event\":\"ended\",\"state\":\"stopped\",\"mood\":\"fine\"}\n");
  int stages = 0;
  Report end = ask_monitor(tomorrow.places, tomorrow.vm, {"stop", Millis(1)}, {patience},
                           [&](const Report&) { ++stages; });
  EXPECT_EQ("stopped", end.state);
  EXPECT_EQ(1, stages);
  Report r = parse_report("{\"v\":1,\"event\":\"failed\",\"error\":{\"code\":\"new\"}}");
  ASSERT_TRUE(r.error);
  EXPECT_EQ(Code::failed, r.error->code());

  FakeMonitor newer("{\"v\":2,\"event\":\"ended\",\"state\":\"stopped\"}\n");
  Error e = thrown_by([&] {
    ask_monitor(newer.places, newer.vm, {"stop", Millis(1)}, {patience}, [](const Report&) {});
  });
  EXPECT_EQ("a message between banger's own programs is of version 2, this one knows 1",
            e.message());
  EXPECT_NE("", e.hint());
}

TEST(MonitorLink, RequestOfAVerbOfBefore) {
  MonitorRequest r = parse_monitor_request(
      "{\"v\":1,\"vm\":\"db4cb10d1da0\",\"op\":\"d3423aed\",\"log_level\":\"info\",\"state_dir\":"
      "\"/s\",\"runtime_root\":\"/r\",\"libexec_dir\":\"/l\",\"kernel\":\"/k\",\"initrd\":\"/i\","
      "\"vmm_binary\":\"qemu-system-x86_64\",\"accel\":\"tcg\",\"tsc_khz\":2299997,"
      "\"isolated_outbound\":false,\"begun_ns\":1795725218032866237,\"adopt\":false}");
  MonitorRequest wanted{"db4cb10d1da0",       "d3423aed", "info",   "/s", "/r", "/l", "/k", "/i",
                        "qemu-system-x86_64", Accel::tcg, 2'299'997};
  wanted.begun_ns = 1'795'725'218'032'866'237;
  EXPECT_TRUE(wanted == r) << to_line(r);
  EXPECT_TRUE(wanted == parse_monitor_request(to_line(wanted)));
}

TEST(MonitorLink, WhatCannotBeRead) {
  for (const char* line :
       {"", "stop", "[]", "null", "{\"verb\":\"stop\"}", "{\"v\":0,\"verb\":\"stop\"}",
        "{\"v\":\"1\",\"verb\":\"stop\"}", "{\"v\":1.5,\"verb\":\"stop\"}",
        "{\"v\":-1,\"verb\":\"stop\"}", "{\"v\":1,\"verb\":1,\"event\":1,\"do\":1,\"vm\":1}",
        "{\"v\":1,\"verb\":\"console\",\"data\":[],\"text\":[],\"plan\":[1],\"op\":[]}",
        "{\"v\":1,\"id\":[],\"vm\":[]}"}) {
    for (Error e : {thrown_by([&] { parse_ask(line); }), thrown_by([&] { parse_report(line); }),
                    thrown_by([&] { parse_monitor_request(line); }),
                    thrown_by([&] { net::parse_holder_ask(line); })})
      EXPECT_EQ("a message between banger's own programs cannot be read", e.message()) << line;
  }
  for (const char* version : {"2", "99999999999"}) {
    std::string line = fmt::format("{{\"v\":{},\"verb\":\"stop\"}}", version);
    EXPECT_NE(std::string::npos,
              thrown_by([&] { parse_ask(line); }).message().find("this one knows 1"))
        << line;
  }
}

} // namespace banger::ops
