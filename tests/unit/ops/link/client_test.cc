// A verb's end of the connection to a monitor, against a peer that does as it likes.
#include <thread>

#include <gtest/gtest.h>

#include "ops/link/client.h"

#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis patience{20'000};

class ClientTest : public testing::Test {
protected:
  ClientTest() {
    auto [ours, theirs] = sys::socket_pair();
    peer = std::move(theirs);
    heard = std::make_unique<sys::LineReader>(peer.get());
    client.emplace(loop, std::move(ours),
                   Client::Told{[this](const Report& r) { events.push_back(r.stage + r.state); },
                                [this](const Error& e) { ends.push_back(e.message()); }});
    loop.after(patience, [] { throw failed("waited in vain"); });
  }

  // Asks; what comes of it is appended to `answers`, as "VERB: state" or "VERB: why not".
  void ask(const std::string& verb, Client::Patience how_long = {patience}) {
    asked++;
    client->ask({verb, Millis(0)}, how_long, [this, verb](std::expected<Report, Error> a) {
      answers.push_back(verb + ": " + (a ? a->state : a.error().message()));
      if (!a) codes.push_back(a.error().code());
      if (answers.size() == asked) loop.stop();
    });
  }
  void say(const std::string& line) { sys::send_all(peer.get(), line + "\n"); }
  std::string next() { return heard->next(patience).value_or("the end"); }
  // Runs the loop until all that was sent has been taken.
  void settle() {
    loop.after(Millis(20), [this] { loop.stop(); });
    loop.run();
  }

  using Words = std::vector<std::string>;
  sys::Loop loop;
  Fd peer;
  std::unique_ptr<sys::LineReader> heard;
  std::optional<Client> client;
  size_t asked = 0;
  Words answers, events, ends;
  std::vector<Code> codes;
};

TEST_F(ClientTest, EachAnswerIsThatOfItsQuestion) {
  ask("stop");
  ask("publish");
  ask("unpublish");
  EXPECT_EQ(next(), R"({"v":1,"verb":"stop","timeout_ms":0,"id":1})");
  EXPECT_EQ(next(), R"({"v":1,"verb":"publish","timeout_ms":0,"id":2})");
  EXPECT_EQ(next(), R"({"v":1,"verb":"unpublish","timeout_ms":0,"id":3})");
  say(R"({"v":1,"id":3,"event":"done","state":"c"})");
  say(R"({"v":1,"id":0,"event":"stage","stage":"publish"})"); // said to all, whatever its word
  say(R"({"v":1,"id":2,"event":"failed","error":{"code":"conflict","message":"b"}})");
  say(R"({"v":1,"id":0,"event":"failed","error":{"message":"the start"}})");
  say(R"({"v":1,"id":1,"event":"done","state":"a"})");
  loop.run();
  EXPECT_EQ(answers, (Words{"unpublish: c", "publish: b", "stop: a"}));
  EXPECT_EQ(codes, std::vector{Code::conflict});
  EXPECT_EQ(events, (Words{"publish", ""}));
}

TEST_F(ClientTest, WhatNobodyWaitsForIsDropped) {
  ask("publish", {Millis(100)});
  loop.run(); // it has given up
  say(R"({"v":1,"id":1,"event":"done","state":"late"})");
  say(R"({"v":1,"id":77,"event":"done"})");
  say(R"({"v":1,"id":-1,"event":"failed","error":{}})");
  settle();
  ask("stop");
  say(R"({"v":1,"id":2,"event":"done","state":"in time"})");
  loop.run();
  EXPECT_EQ(answers, (Words{"publish: its monitor has not answered 'publish': waited 0.1s",
                            "stop: in time"}));
  EXPECT_EQ(codes, std::vector{Code::timeout});
  EXPECT_EQ(events, Words{});
  EXPECT_FALSE(client->is_gone());
}

TEST_F(ClientTest, OneThatSaysNothingIsGivenUpSooner) {
  ask("stop", {patience, Millis(100)});
  loop.run();
  ask("kill", {Millis(300), Millis(100)});
  say(R"({"v":1,"id":0,"event":"stage","stage":"term"})"); // it lives
  loop.run();
  EXPECT_EQ(answers, (Words{"stop: its monitor does not answer 'stop': waited 0.1s",
                            "kill: its monitor has not answered 'kill': waited 0.3s"}));
}

TEST_F(ClientTest, WhoWaitsForOneThatSaysNothingIsToldSo) {
  ask("pause", {Millis(2'400)});
  loop.run();
  EXPECT_EQ(events, Words{"silent"});
  EXPECT_EQ(answers, Words{"pause: its monitor has not answered 'pause': waited 2.4s"});
  ask("resume", {Millis(2'400)});
  say(R"({"v":1,"id":0,"event":"stage","stage":"resumed"})"); // it lives, and what it tells stays
  loop.run();
  EXPECT_EQ(events, (Words{"silent", "resumed"}));
}

TEST_F(ClientTest, OneThatFallsSilentIsGivenUp) {
  ask("save", {.answer = patience, .quiet = Millis(1000)});
  for (int i = 1; i <= 4; i++)
    loop.after(Millis(i * 400),
               [this] { say(R"({"v":1,"id":1,"event":"stage","stage":"saving"})"); });
  auto began = steady_now();
  loop.run();
  EXPECT_GE(steady_now() - began, Millis(2600)) << "each word of it gives it time anew";
  EXPECT_EQ(events, (Words{"saving", "saving", "saving", "saving"}));
  EXPECT_EQ(answers, Words{"save: its monitor does not answer 'save': waited 1.0s"});
  EXPECT_EQ(codes, std::vector{Code::timeout});
}

TEST_F(ClientTest, OneThatDiesAnswersAllThatIsOpenAndIsGone) {
  ask("stop");
  ask("publish");
  say(R"({"v":1,"id":0,"event":"stage","stage":"last words"})");
  sys::send_all(peer.get(), R"({"v":1,"id":1,"event":"do)"); // half a line
  peer.reset();
  loop.run();
  EXPECT_EQ(answers, (Words{"stop: its monitor went away", "publish: its monitor went away"}));
  EXPECT_EQ(codes, (std::vector{Code::unreachable, Code::unreachable}));
  settle();
  EXPECT_EQ(events, Words{"last words"});
  EXPECT_EQ(ends, Words{"its monitor went away"});
  EXPECT_TRUE(client->is_gone());
  client->say({"console", Millis(0), "x"}); // to nobody
  ask("kill");
  EXPECT_EQ(answers.size(), 2u) << "from the loop, not from ask()";
  loop.run();
  EXPECT_EQ(answers.back(), "kill: its monitor has gone away");
}

TEST_F(ClientTest, ALineWithoutEndIsItsEnd) {
  ask("stop");
  std::thread flood([this] {
    try {
      sys::send_all(peer.get(), std::string(3 << 20, 'x'));
    } catch (const Error&) { // the other end is closed
    }
  });
  loop.run();
  flood.join();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_NE(answers[0].find("longer than"), std::string::npos) << answers[0];
  EXPECT_TRUE(client->is_gone());
}

TEST_F(ClientTest, WhatCannotBeReadIsItsEnd) {
  ask("stop");
  say("what?");
  loop.run();
  EXPECT_EQ(answers, Words{"stop: a message between banger's own programs cannot be read"});
  EXPECT_TRUE(client->is_gone());
}

TEST_F(ClientTest, TheEndOfItsVmIsAnAnswer) {
  ask("publish");
  ask("kill");
  say(R"({"v":1,"id":0,"event":"ended","state":"stopped"})");
  loop.run();
  settle();
  EXPECT_EQ(answers, (Words{"publish: its VM has ended", "kill: stopped"}));
  EXPECT_EQ(events, Words{"stopped"});
}

// A monitor of a build before has no ids.
TEST_F(ClientTest, AnswersOfABuildBefore) {
  ask("publish");
  ask("unpublish");
  ask("levitate");
  ask("stop");
  say(R"({"v":1,"event":"stage","stage":"unpublish"})");
  say(R"({"v":1,"event":"stage","stage":"publish"})");
  say(R"({"v":1,"event":"failed","error":{"message":"the monitor does not know 'levitate'"}})");
  say(R"({"v":1,"event":"stage","stage":"asking"})");
  say(R"({"v":1,"event":"ended","state":"stopped"})");
  loop.run();
  settle();
  EXPECT_EQ(answers, (Words{"unpublish: ", "publish: ",
                            "levitate: the monitor does not know 'levitate'", "stop: stopped"}));
  EXPECT_EQ(events, (Words{"asking", "stopped"}));
  say(R"({"v":1,"event":"failed","error":{"message":"it did not boot"}})"); // nothing was asked
  settle();
  EXPECT_EQ(events.size(), 3u);
}

TEST_F(ClientTest, WhoWaitsForAnEventMissesNone) {
  using Kind = Report::Kind;
  say(R"({"v":1,"id":0,"event":"locked"})");
  say(R"({"v":1,"id":0,"event":"stage","stage":"one"})");
  say(R"({"v":1,"id":0,"event":"stage","stage":"two"})");
  say(R"({"v":1,"id":0,"event":"ready","text":"small"})");
  peer.reset();
  EXPECT_TRUE(client->wait_for({Kind::locked}, patience));
  EXPECT_EQ(events, Words{}) << "taken before anybody could wait for it";
  auto stage = client->wait_for({Kind::stage}, patience);
  ASSERT_TRUE(stage);
  EXPECT_EQ(stage->stage, "one");
  auto ready = client->wait_for({Kind::ready, Kind::ended}, patience);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->text, "small");
  EXPECT_EQ(events, Words{"two"});
  EXPECT_FALSE(client->is_gone());
  EXPECT_FALSE(client->wait_for({Kind::ended}, patience));
  EXPECT_TRUE(client->is_gone());
  EXPECT_FALSE(client->wait_for({Kind::ended}, patience)) << "it waits for one that is gone";
}

TEST_F(ClientTest, WhoWaitsForAnEventWaitsNoLongerThanItSays) {
  auto before = steady_now();
  EXPECT_FALSE(client->wait_for({Report::Kind::ready}, Millis(50)));
  EXPECT_GE(steady_now() - before, Millis(50));
  EXPECT_FALSE(client->is_gone());
}

// A function that the client calls may end the client, or throw out of the loop.
TEST_F(ClientTest, ACallbackMayDestroyIt) {
  ask("publish");
  client->ask({"stop", Millis(0)}, {patience}, [this](auto) {
    client.reset();
    loop.stop();
  });
  say(R"({"v":1,"id":2,"event":"done"})");
  say(R"({"v":1,"id":1,"event":"done"})");
  loop.run();
  EXPECT_EQ(answers, Words{});
  settle();
}

TEST_F(ClientTest, ACallbackMayThrow) {
  client->ask({"stop", Millis(0)}, {patience}, [](auto) { throw failed("not so"); });
  say(R"({"v":1,"id":1,"event":"done"})");
  say(R"({"v":1,"id":0,"event":"stage","stage":"after"})");
  EXPECT_THROW(loop.run(), Error);
  settle();
  EXPECT_EQ(events, Words{"after"});
}

// Typed bytes wait where the monitor does not read.
TEST_F(ClientTest, WhatIsNotTakenWaitsAndIsCounted) {
  size_t sent = 0;
  client.reset();
  auto [ours, theirs] = sys::socket_pair();
  client.emplace(loop, std::move(ours), Client::Told{{}, {}, [&] {
                                                       sent++;
                                                       if (client->waiting() == 0) loop.stop();
                                                     }});
  std::string data(100'000, 'x');
  for (int i = 0; i < 10; i++) client->say({"console", Millis(0), data});
  EXPECT_GT(client->waiting(), 0u);
  size_t lines = 0;
  sys::LineReader reader(theirs.get());
  loop.watch(theirs.get(), [&, fd = theirs.get()] {
    if (!reader.fill()) loop.forget(fd);
    while (auto line = reader.buffered()) lines += parse_ask(*line).data == data;
  });
  loop.run();
  EXPECT_GT(sent, 0u);
  while (lines < 10) settle();
  EXPECT_EQ(lines, 10u);
}

} // namespace

} // namespace banger::ops
