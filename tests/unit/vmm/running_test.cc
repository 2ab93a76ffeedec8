// The talk of a driver with its VMM, on a loop, against a VMM that is played by a
// thread.
#include <algorithm>
#include <thread>
#include <tuple>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sys/file.h"
#include "sys/lines.h"
#include "sys/socket.h"
#include "sys/wait.h"
#include "vmm/firecracker.h"
#include "vmm/http.h"
#include "vmm/qemu.h"
#include "vmm/qmp.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::json;
constexpr Millis patience{20'000}, soon{30};

class Directory {
public:
  Directory() {
    if (!::mkdtemp(path.data())) throw sys_error(errno, "cannot make a directory");
  }
  ~Directory() { sys::remove_tree(path); }
  std::string path =
      (std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + std::string("/bh.XXXXXX");
};

std::string ok(const std::string& body) {
  return fmt::format("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: {}\r\n\r\n{}", body.size(),
                     body);
}
const std::string done_well = "HTTP/1.1 204 \r\nServer: x\r\n\r\n";

// Takes one connection at `socket` and answers each request with the next of `answers`; keeps the
// requests. After the last it waits until the other end closes.
class FakeApi {
public:
  FakeApi(const std::string& socket, std::vector<std::string> answers, Millis late = Millis(0))
      : thread_([this, socket, answers = std::move(answers), late] {
          sys::wait_readable(quiet_.first.get(), late); // its socket comes late
          Fd listener = sys::listen_unix(socket);
          sys::wait_readable(listener.get(), patience);
          auto peer = sys::accept_one(listener.get());
          if (!peer) return;
          for (const std::string& answer : answers) {
            asked += request(peer->get()) + "\n";
            if (!answer.empty()) sys::send_all(peer->get(), answer);
          }
          if (!answers.empty() && answers.back().empty()) sys::wait_readable(peer->get(), patience);
        }) {}
  ~FakeApi() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::string asked; // after join(): "PUT /path BODY" lines

private:
  static std::string request(int fd) {
    std::string text;
    size_t head;
    while ((head = text.find("\r\n\r\n")) == text.npos) {
      std::string more = sys::read_some(fd, 4096);
      if (more.empty()) return text;
      text += more;
    }
    size_t length = 0, at = text.find("Content-Length: ");
    if (at < head) length = std::stoul(text.substr(at + 16));
    while (text.size() < head + 4 + length) text += sys::read_some(fd, 4096);
    return text.substr(0, text.find(" HTTP/")) + (length ? " " : "") + text.substr(head + 4);
  }
  std::pair<Fd, Fd> quiet_ = sys::socket_pair();
  std::thread thread_;
};

Machine machine() {
  Machine m;
  m.name = "demo";
  m.cpus = 2;
  m.memory = int64_t{128} << 20;
  m.command_line = "console=ttyS0";
  m.disks = {{root_file, true}, {upper_file, false}};
  m.mac = "52:54:00:01:02:03";
  m.net = TapNet{"bngab12-3"};
  return m;
}

} // namespace

TEST(Http, AnAnswerIsReadWhenItIsWhole) {
  std::string text = ok("{\"a\":1}");
  for (size_t n = 0; n < text.size(); n++) EXPECT_FALSE(parse_http_answer(text.substr(0, n))) << n;
  auto read = parse_http_answer(text + "HTTP");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first, (HttpAnswer{200, "{\"a\":1}"}));
  EXPECT_EQ(read->second, text.size());
  EXPECT_EQ(parse_http_answer(done_well)->first, (HttpAnswer{204, ""}));
  for (const char* bad : {"SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc x\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"})
    EXPECT_THROW(parse_http_answer(bad), Error) << bad;
}

TEST(Firecracker, IsConfiguredOnlyByRequestsAndStartedByTheLast) {
  Directory dir;
  auto requests = boot_requests(machine(), newest_known);
  EXPECT_EQ(requests[0], (ApiRequest{"/metrics", "{\"metrics_path\":\"metrics\"}"}));
  EXPECT_EQ(requests[1].path, "/machine-config");
  EXPECT_EQ(requests[1].body, "{\"vcpu_count\":2,\"mem_size_mib\":128}");
  EXPECT_EQ(requests[2].body, "{\"kernel_image_path\":\"kernel\",\"initrd_path\":\"initrd\","
                              "\"boot_args\":\"console=ttyS0 reboot=k\"}");
  EXPECT_EQ(requests[4].body,
            "{\"drive_id\":\"upper\",\"path_on_host\":\"upper\",\"is_root_device\":"
            "false,\"is_read_only\":false,\"cache_type\":\"Writeback\"}");
  EXPECT_EQ(requests[requests.size() - 2],
            (ApiRequest{"/balloon", "{\"amount_mib\":0,\"deflate_on_oom\":true,"
                                    "\"stats_polling_interval_s\":5}"}));
  EXPECT_EQ(requests.back(), (ApiRequest{"/actions", "{\"action_type\":\"InstanceStart\"}"}));

  std::vector<std::string> answers{ok("{\"firecracker_version\":\"1.16.1\"}")};
  answers.insert(answers.end(), requests.size(), done_well);
  // Its socket comes when it has been awaited for a while.
  FakeApi api(dir.path + "/api.sock", answers, soon);
  sys::Loop loop;
  auto running = make_firecracker("fc")->attach(loop, dir.path, {});
  std::optional<Error> fault;
  running->boot(machine(), [&](std::optional<Error> e) {
    fault = std::move(e);
    loop.stop();
  });
  loop.run();
  EXPECT_FALSE(fault) << fault->message();
  EXPECT_EQ(running->version(), "1.16.1");
  api.join();
  std::string wanted = "GET /version\n";
  for (const ApiRequest& r : requests) wanted += "PUT " + r.path + " " + r.body + "\n";
  EXPECT_EQ(api.asked, wanted);
}

TEST(Firecracker, ARefusalEndsTheBootAndIsTold) {
  Directory dir;
  FakeApi api(dir.path + "/api.sock",
              {ok("{}"), "HTTP/1.1 400 Bad Request\r\nContent-Length: 23\r\n\r\n"
                         "{\"fault_message\":\"no.\"}"});
  sys::Loop loop;
  auto running = make_firecracker("fc")->attach(loop, dir.path, {});
  std::optional<Error> fault;
  running->boot(machine(), [&](std::optional<Error> e) {
    fault = std::move(e);
    running.reset(); // as its monitor does
    loop.stop();
  });
  loop.run();
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->message(), "the VMM refuses PUT /metrics: no.");
}

TEST(Firecracker, IsAskedForNothingThatItsVersionDoesNotKnow) {
  Machine m = machine();
  m.net = TapNet{"t", 9000};
  auto has_mtu = [&](const FirecrackerVersion& v) {
    for (const ApiRequest& r : boot_requests(m, v))
      if (r.body.find("\"mtu\":9000") != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(has_mtu({1, 16, 0}));
  EXPECT_FALSE(has_mtu({1, 15, 3}));
}

TEST(Firecracker, LogsAsMuchAsIsWanted) {
  Machine m = machine();
  auto level_of = [&] {
    auto words = make_firecracker("fc")->launch(m).command.argv;
    auto at = std::ranges::find(words, "--level");
    return at != words.end() ? *(at + 1) : std::string();
  };
  EXPECT_EQ(level_of(), "Info");
  m.verbose = true;
  EXPECT_EQ(level_of(), "Debug");
}

TEST(Firecracker, HasAVsockWhereOneIsAskedForAndWorks) {
  Machine m = machine();
  auto asked = [&](const FirecrackerVersion& v) {
    auto all = boot_requests(m, v);
    return std::ranges::count(all, "/vsock", &ApiRequest::path);
  };
  EXPECT_EQ(asked(newest_known), 0);
  m.vsock = Vsock{5, {6, 17}};
  EXPECT_EQ(asked(newest_known), 1);
  EXPECT_EQ(asked({1, 13, 0}), 0);
  m.vsock->kernel = {6, 1};
  EXPECT_EQ(asked({1, 13, 0}), 1);
  // It makes the socket, and one of an earlier VMM is not taken for it.
  EXPECT_EQ(make_firecracker("fc")->launch(m).made,
            (std::vector<std::string>{"api.sock", "vsock.sock"}));
}

TEST(Firecracker, IsToldOfLimitsWhereThereAreSome) {
  Machine m = machine();
  auto limiter_of = [&](const std::string& path, const char* key) {
    for (const ApiRequest& r : boot_requests(m, newest_known))
      if (r.path == path)
        if (size_t at = r.body.find(key); at != std::string::npos) return r.body.substr(at);
    return std::string();
  };
  EXPECT_EQ(limiter_of("/drives/root", "rate_limiter"), "");
  EXPECT_EQ(limiter_of("/network-interfaces/n0", "rate_limiter"), "");
  m.disks[0].limit = {1 << 20, 0};
  m.net_limit = {0, 50};
  EXPECT_EQ(limiter_of("/drives/root", "\"rate_limiter"),
            "\"rate_limiter\":{\"bandwidth\":{\"size\":1048576,\"refill_time\":1000},"
            "\"ops\":{\"size\":0,\"refill_time\":0}}}");
  EXPECT_EQ(limiter_of("/drives/upper", "rate_limiter"), "");
  std::string ops = "{\"bandwidth\":{\"size\":0,\"refill_time\":0},"
                    "\"ops\":{\"size\":50,\"refill_time\":1000}}";
  EXPECT_EQ(limiter_of("/network-interfaces/n0", "\"rx_"),
            "\"rx_rate_limiter\":" + ops + ",\"tx_rate_limiter\":" + ops + "}");
  // While it runs all are said, so that one that was lifted is.
  EXPECT_EQ(
      limit_requests({{"work", false, {}}}, RateLimit{0, 50}),
      (std::vector<ApiRequest>{
          {"/drives/work",
           "{\"drive_id\":\"work\",\"rate_limiter\":{\"bandwidth\":{\"size\":0,"
           "\"refill_time\":0},\"ops\":{\"size\":0,\"refill_time\":0}}}",
           "PATCH"},
          {"/network-interfaces/n0",
           "{\"iface_id\":\"n0\",\"rx_rate_limiter\":" + ops + ",\"tx_rate_limiter\":" + ops + "}",
           "PATCH"}}));
  EXPECT_TRUE(limit_requests({}, {}).empty());
}

TEST(Firecracker, WhatItLogsIsToldLineForLineWhoeverReadsItLater) {
  Directory dir;
  sys::make_fifo(dir.path + "/log");
  Fd writes = sys::open_file(dir.path + "/log", O_RDWR | O_NONBLOCK);
  sys::write_all(writes.get(), "before\n");
  sys::Loop loop;
  std::vector<std::string> said;
  Told told;
  told.said = [&](const std::string& line) {
    said.push_back(line);
    if (said.size() == 2) loop.stop();
  };
  auto running = make_firecracker("fc")->attach(loop, dir.path, told);
  sys::write_all(writes.get(), "an\x1b[2J end\nha");
  loop.run();
  sys::write_all(writes.get(), "lf\nand\n" + std::string(40'000, 'x'));
  running->read_rest();
  sys::write_all(writes.get(), std::string(40'000, 'x'));
  running->read_rest(); // too long for a line
  EXPECT_EQ(said, (std::vector<std::string>{"before", "an\\x1b[2J end", "half", "and"}));
}

TEST(Http, OneThatStallsIsGivenUpWithAllBehindIt) {
  Directory dir;
  FakeApi api(dir.path + "/a", {""});
  {
    sys::Loop loop;
    Http http(loop, dir.path + "/a");
    int unreachable = 0, ticks = 0;
    loop.after(Millis(5), [&] { ticks++; });
    auto count = [&](auto answer) {
      if (!answer && answer.error().code() == Code::unreachable) unreachable++;
      if (unreachable == 2) loop.stop();
    };
    http.request("GET", "/", {}, soon, count);
    http.request("GET", "/", {}, patience, count);
    loop.run();
    EXPECT_EQ(ticks, 1); // the loop went on meanwhile
  }
  api.join();
}

TEST(Http, ASocketThatNeverComesIsAwaitedForTheTimeOfTheRequest) {
  Directory dir;
  sys::Loop loop;
  Http http(loop, dir.path + "/a");
  bool told = false;
  http.request("GET", "/", {}, soon, [&](auto answer) {
    told = !answer;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(told);
}

class QmpTest : public testing::Test {
protected:
  QmpTest() { std::tie(ours, theirs) = sys::socket_pair(); }
  void say(const std::string& text) { sys::send_all(theirs.get(), text); }
  std::string heard() { return sys::LineReader(theirs.get()).next(patience).value_or(""); }

  Fd ours, theirs;
  sys::Loop loop;
};

TEST(Firecracker, OneThatIsSavedIsToldOfItsTapWhereItsVersionCan) {
  EXPECT_EQ(load_request(machine(), {1, 16, 1}).body,
            R"({"snapshot_path":"saved/devices","mem_backend":{"backend_type":"File",)"
            R"("backend_path":"saved/memory"},"resume_vm":false,"network_overrides":)"
            R"([{"iface_id":"n0","host_dev_name":"bngab12-3"}]})");
  EXPECT_EQ(load_request(machine(), {1, 11, 9}).body.find("network_overrides"), std::string::npos);
  Machine alone = machine();
  alone.net = {};
  EXPECT_EQ(load_request(alone, {1, 16, 1}).body.find("network_overrides"), std::string::npos);
}

TEST_F(QmpTest, AnswersFindTheirQuestionsWhateverTheirOrder) {
  std::vector<std::string> events, answers;
  Qmp qmp(loop, std::move(ours), [&](const auto& name, const auto&) { events.push_back(name); });
  auto keep = [&](const char* what) {
    return [&, what](auto answer) {
      answers.push_back(
          fmt::format("{}: {}", what, answer ? answer->dump() : answer.error().message()));
      if (answers.size() == 3) loop.stop();
    };
  };
  qmp.execute("one", Json::object(), patience, keep("one"));
  qmp.execute("two", Json::object(), patience, keep("two"));
  qmp.execute("three", Json::object(), soon, keep("three"));
  say("{\"QMP\":{\"version\":{\"qemu\":{\"micro\":22,\"minor\":2,\"major\":7}}}}\n{\"return\":{}}\n"
      "{\"return\":\"b\",\"id\":\"banger-2\"}\n{\"event\":\"SHUTDOWN\",\"data\":{}}\nrubbish\n[1]\n"
      "{\"error\":{\"desc\":\"no\"},\"id\":\"banger-1\"}\n{\"return\":1,\"id\":\"banger-9\"}\n");
  loop.run();
  EXPECT_EQ(answers, (std::vector<std::string>{"two: \"b\"", "one: QEMU refuses it: no",
                                               "three: QEMU does not answer"}));
  EXPECT_EQ(events, std::vector<std::string>{"SHUTDOWN"});
  EXPECT_EQ(qmp.version(), "7.2.22");
  say("{\"return\":1,\"id\":\"banger-3\"}\n"); // too late: its caller was answered already
  qmp.read();
  EXPECT_EQ(answers.size(), 3u);
}

// A QEMU that is played by the test, at the socket that its monitor connects to.
class QemuTest : public testing::Test {
protected:
  QemuTest() : listener(sys::listen_unix(dir.path + "/qmp.sock")) {
    told.pause = [this](std::optional<Pause> p) { pauses.push_back(std::move(p)); };
    told.disk_fault = [this](const std::string& f) { faults.push_back(f); };
    running = make_qemu("qemu")->attach(loop, dir.path, told);
    peer = std::move(*sys::accept_one(listener.get()));
    lines = std::make_unique<sys::LineReader>(peer.get());
  }
  // Answers the next command, which must be `command`.
  void answer(const std::string& command, const std::string& result, const char* how = "return") {
    Json asked;
    for (int tries = 0; !asked.contains("id"); tries++) { // the greeting has none
      ASSERT_LT(tries, 1000) << "it does not ask for " << command;
      if (auto line = lines->buffered())
        asked = Json::parse(*line);
      else if (sys::wait_readable(peer.get(), Millis(0)))
        lines->fill(&came);
      else
        run();
    }
    EXPECT_EQ(asked.value("execute", ""), command);
    say(fmt::format("{{\"{}\":{},\"id\":{}}}", how, result, asked["id"].dump()));
    run();
  }
  void run() {
    loop.after(soon, [this] { loop.stop(); });
    loop.run();
  }
  void say(const std::string& line) { sys::send_all(peer.get(), line + "\n"); }

  Directory dir;
  sys::Loop loop;
  Fd listener, peer;
  Fd came; // a descriptor that came with a command
  std::unique_ptr<sys::LineReader> lines;
  Told told;
  std::vector<std::optional<Pause>> pauses;
  std::vector<std::string> faults;
  std::unique_ptr<Running> running;
};

TEST_F(QemuTest, OneThatStopsItsGuestSaysWhyAndThatItGoesOn) {
  answer("query-status", R"({"running":true,"status":"running"})");
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_FALSE(pauses[0]);
  say(R"({"event":"BLOCK_IO_ERROR","data":{"device":"upper","operation":"write",)"
      R"("action":"stop","nospace":true,"reason":"No space left on device"}})");
  say(R"({"event":"STOP"})");
  answer("query-status", R"({"running":false,"status":"io-error"})");
  answer("query-block", R"([{"device":"root","io-status":"ok","inserted":{"file":"root"}},)"
                        R"({"device":"upper","io-status":"nospace","inserted":{"file":"upper"}}])");
  ASSERT_EQ(pauses.size(), 2u);
  EXPECT_EQ(pauses[1], (Pause{"upper", true, "no space left on device"}));
  std::optional<std::optional<Error>> resumed;
  running->resume([&](std::optional<Error> e) { resumed = std::move(e); });
  answer("migrate_cancel", "{}"); // a save that an earlier monitor may have begun
  answer("cont", "{}");
  EXPECT_TRUE(resumed && !*resumed);
  say(R"({"event":"RESUME"})");
  run();
  ASSERT_EQ(pauses.size(), 3u);
  EXPECT_FALSE(pauses[2]);
  EXPECT_TRUE(faults.empty());
}

TEST_F(QemuTest, ASaveGoesToAFileThatQemuIsHanded) {
  answer("query-status", R"({"running":false,"status":"paused"})");
  sys::make_dir(dir.path + "/saved");
  std::vector<std::optional<Error>> saved;
  auto save = [&] {
    running->save(dir.path + "/saved",
                  [&](std::optional<Error> e) { saved.push_back(std::move(e)); });
  };
  save();
  answer("query-status", R"({"running":false,"status":"paused"})");
  for (const char* command : {"migrate-set-capabilities", "migrate-set-parameters", "getfd"})
    answer(command, "{}");
  ASSERT_TRUE(came);
  sys::write_all(came.get(), "memory");
  answer("migrate", "{}");
  say(R"({"event":"MIGRATION","data":{"status":"active"}})");
  run();
  EXPECT_TRUE(saved.empty());
  say(R"({"event":"MIGRATION","data":{"status":"completed"}})");
  run();
  ASSERT_EQ(saved.size(), 1u);
  EXPECT_FALSE(saved[0]);
  EXPECT_EQ(sys::read_file(dir.path + "/saved/memory"), "memory");
  // One that stands there already is not written over.
  save();
  answer("query-status", R"({"running":false,"status":"paused"})");
  run();
  ASSERT_EQ(saved.size(), 2u);
  EXPECT_NE(saved[1]->message().find("saved/memory"), std::string::npos);
}

TEST_F(QemuTest, AGuestIsLetGoOnWhenItsSaveHasBeenFinalized) {
  answer("query-status", R"({"running":false,"status":"finish-migrate"})");
  std::vector<std::optional<Error>> resumed;
  auto refuse = [&](const char* status) {
    answer("cont", R"({"class":"GenericError","desc":"Migration is not finalized yet"})", "error");
    answer("query-status", fmt::format(R"({{"running":false,"status":"{}"}})", status));
  };
  auto resume = [&] {
    running->resume([&](std::optional<Error> e) { resumed.push_back(std::move(e)); });
    answer("migrate_cancel", "{}");
  };
  resume();
  refuse("finish-migrate");
  refuse("finish-migrate");
  EXPECT_TRUE(resumed.empty());
  answer("cont", "{}");
  ASSERT_EQ(resumed.size(), 1u);
  EXPECT_FALSE(resumed[0]);
  // It was finalized after the refusal, and before the look.
  resume();
  refuse("paused");
  EXPECT_EQ(resumed.size(), 1u);
  answer("cont", "{}");
  ASSERT_EQ(resumed.size(), 2u);
  EXPECT_FALSE(resumed[1]);
  // Refused for any other reason it is not tried for ever.
  resume();
  refuse("internal-error");
  answer("cont", R"({"class":"GenericError","desc":"it cannot"})", "error");
  ASSERT_EQ(resumed.size(), 3u);
  EXPECT_TRUE(resumed[2]);
}

TEST_F(QemuTest, ASaveThatFailsSaysWhy) {
  answer("query-status", R"({"running":false,"status":"paused"})");
  sys::make_dir(dir.path + "/saved");
  std::optional<Error> fault;
  running->save(dir.path + "/saved", [&](std::optional<Error> e) { fault = std::move(e); });
  answer("query-status", R"({"running":false,"status":"paused"})");
  for (const char* command : {"migrate-set-capabilities", "migrate-set-parameters", "getfd"})
    answer(command, "{}");
  answer("migrate", "{}");
  say(R"({"event":"MIGRATION","data":{"status":"failed"}})");
  answer("query-migrate", R"({"status":"failed","error-desc":"No space left on device"})");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->message(), "QEMU has failed at it: No space left on device");
}

TEST_F(QemuTest, AGuestThatHasNotRunSinceItWasSavedIsNotSavedAgain) {
  answer("query-status", R"({"running":false,"status":"postmigrate"})");
  std::optional<Error> fault;
  running->save(dir.path + "/saved", [&](std::optional<Error> e) { fault = std::move(e); });
  answer("query-status", R"({"running":false,"status":"postmigrate"})");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->message(), "QEMU saves a guest that stands still only once");
  EXPECT_EQ(fault->hint(), "have it go on first: banger vm resume");
}

TEST_F(QemuTest, OneThatIsLoadedRunsOnlyWhenAllOfItsMemoryIsThere) {
  answer("query-status", R"({"running":false,"status":"inmigrate"})");
  sys::make_dir(dir.path + "/saved");
  sys::write_atomic(dir.path + "/saved/memory", "memory");
  Machine m = machine();
  m.saved = dir.path + "/saved";
  std::optional<std::optional<Error>> booted;
  running->boot(m, [&](std::optional<Error> e) { booted = std::move(e); });
  for (const char* command : {"migrate-set-capabilities", "migrate-set-parameters", "getfd"})
    answer(command, "{}");
  answer("migrate-incoming", "{}");
  say(R"({"event":"STOP"})");
  answer("query-status", R"({"running":false,"status":"paused"})");
  EXPECT_FALSE(booted);
  say(R"({"event":"MIGRATION","data":{"status":"completed"}})");
  answer("cont", "{}");
  EXPECT_TRUE(booted && !*booted);
  EXPECT_TRUE(pauses.empty()); // it was not stopped: it has not begun
}

TEST_F(QemuTest, WhoComesLaterFindsItStopped) {
  answer("query-status", R"({"running":false,"status":"io-error"})");
  answer("query-block", R"([{"io-status":"failed","inserted":{"file":"work"}}])");
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_EQ(pauses[0], (Pause{"work", false, ""}));
}

TEST_F(QemuTest, AnAnswerOfBeforeAChangeIsOfNoUse) {
  answer("query-status", R"({"running":false,"status":"io-error"})");
  say(R"({"event":"RESUME"})");
  answer("query-block", R"([{"io-status":"failed","inserted":{"file":"work"}}])");
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_FALSE(pauses[0]);
}

TEST_F(QemuTest, AnythingElseThatStopsItIsToldInItsOwnWords) {
  answer("query-status", R"({"running":false,"status":"internal-error"})");
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_EQ(pauses[0], (Pause{"", false, "QEMU says 'internal-error'"}));
}

TEST_F(QemuTest, AnErrorThatTheGuestWasGivenIsToldOnce) {
  for (int i = 0; i < 3; i++)
    say(R"({"event":"BLOCK_IO_ERROR","data":{"device":"root","operation":"read",)"
        R"("action":"report","reason":"Input/output error"}})");
  run();
  EXPECT_EQ(faults, std::vector<std::string>{"root: read: input/output error"});
}

TEST_F(QmpTest, WhatIsOpenWhenQemuGoesFailsAndSoDoesWhatComesAfter) {
  Qmp qmp(loop, std::move(ours), [](const auto&, const auto&) {});
  int failed = 0;
  auto count = [&](auto answer) {
    if (!answer) failed++;
    if (failed == 2)
      theirs.reset(), qmp.execute("late", Json::object(), patience, [&](auto late) {
        failed += !late;
        loop.stop();
      });
  };
  qmp.execute("one", Json::object(), patience, count);
  qmp.execute("two", Json::object(), patience, count);
  theirs.reset();
  loop.run();
  EXPECT_EQ(failed, 3);
}

TEST_F(QmpTest, AnAnswerMayEndTheConversation) {
  auto qmp = std::make_unique<Qmp>(loop, std::move(ours), [](const auto&, const auto&) {});
  qmp->execute("one", Json::object(), patience, [&](auto) {
    qmp.reset();
    loop.stop();
  });
  qmp->execute("two", Json::object(), patience, [&](auto) { FAIL() << "it is gone"; });
  say("{\"return\":1,\"id\":\"banger-1\"}\n{\"return\":2,\"id\":\"banger-2\"}\n");
  loop.run();
}

} // namespace banger::vmm
