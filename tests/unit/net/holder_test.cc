// The network's holder, and what a program of another version says to it.
#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "model/message.h"
#include "net/holder.h"
#include "sys/datagram.h"
#include "sys/file.h"
#include "sys/forked.h"
#include "sys/inet.h"
#include "sys/lines.h"
#include "sys/listen.h"
#include "sys/socket.h"

namespace banger::net {

class HolderTest : public testing::Test {
protected:
  HolderTest() {
    if (!::mkdtemp(root_.data())) throw sys_error(errno, "cannot make a directory");
    Fd listener = sys::listen_unix(root_ + "/holder.sock");
    pid_ = forked();
    if (pid_ == 0) {
      try {
        serve_holder(std::move(listener), HostAddresses());
      } catch (const std::exception&) {
      }
      ::_exit(1);
    }
    listener.reset();
    peer_ = sys::connect_unix(root_ + "/holder.sock");
    lines_.emplace(peer_.get());
  }
  ~HolderTest() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    sys::remove_tree(root_);
  }
  std::string path() const { return root_ + "/holder.sock"; }
  Fd connect() { return sys::connect_unix(root_ + "/holder.sock"); }
  Json answer_to(const std::string& line) {
    sys::send_all(peer_.get(), line + "\n");
    return parse_message(lines_->next(Millis(30'000)).value_or(""));
  }
  std::string refusal_of(const std::string& line) {
    return answer_to(line).at("error").at("message").get<std::string>();
  }

private:
  const char* place_ = std::getenv("TMPDIR");
  std::string root_ = std::string(place_ ? place_ : "/tmp") + "/bh.XXXXXX";
  int pid_ = -1;
  Fd peer_;
  std::optional<sys::LineReader> lines_;
};

TEST_F(HolderTest, WhatItDoesNotKnowIsToldAndNoMore) {
  EXPECT_EQ(unknown_verb("levitate"), refusal_of("{\"v\":1,\"do\":\"levitate\",\"height\":3}"));
  EXPECT_EQ("a message between banger's own programs is of version 2, this one knows 1",
            refusal_of("{\"v\":2,\"do\":\"relays\"}"));
  for (const char* line : {"relays", "{\"do\":\"relays\"}", "{\"v\":1,\"do\":[]}",
                           "{\"v\":1,\"do\":\"apply\",\"plan\":7}"})
    EXPECT_EQ("a message between banger's own programs cannot be read", refusal_of(line)) << line;
  // The same connection goes on; keys that are not known are passed over.
  EXPECT_EQ(Json::array(), answer_to("{\"v\":1,\"do\":\"relays\",\"since\":9}").at("relays"));
}

TEST_F(HolderTest, AnAnswerHasTheIdOfItsQuestion) {
  EXPECT_EQ(7, answer_to("{\"v\":1,\"do\":\"relays\",\"id\":7}").at("id"));
  Json refused = answer_to("{\"v\":1,\"do\":\"levitate\",\"id\":8}");
  EXPECT_EQ(8, refused.at("id"));
  EXPECT_TRUE(refused.contains("error"));
  // A program of a build before has none.
  EXPECT_FALSE(answer_to("{\"v\":1,\"do\":\"relays\"}").contains("id"));
}

// One that sends what never becomes a line loses its connection, and nobody else does.
TEST_F(HolderTest, ALineWithoutEndIsThatClientsEnd) {
  Fd other = connect();
  std::string flood(3 << 20, 'x');
  EXPECT_THROW(sys::send_all(other.get(), flood), Error);
  EXPECT_EQ(Json::array(), answer_to("{\"v\":1,\"do\":\"relays\"}").at("relays"));
}

TEST_F(HolderTest, TheSocketsOfNamesAreTheSameEachTime) {
  // Port 53 may be another's here: then it says so, and is there for others.
  std::string address = fmt::format("127.77.{}.{}", ::getpid() / 254 % 256, 1 + ::getpid() % 254);
  if (!sys::can_bind_udp(address, 53) || !sys::can_bind_tcp(address, 53)) {
    EXPECT_THROW(name_sockets(path(), address), Error);
    GTEST_SKIP() << "port 53 cannot be had here";
  }
  NameSockets first = name_sockets(path(), address), second = name_sockets(path(), address);
  EXPECT_TRUE(sys::is_udp(first.udp.get()) && sys::is_tcp_listener(first.tcp.get()));
  EXPECT_EQ(to_text(sys::endpoint_of(second.udp.get())), address + ":53");
  // A question that comes while no process has the sockets waits for the next one.
  first = {};
  second = {};
  sys::send_datagram(sys::connect_udp(address, 53).get(), "waits");
  char data[16];
  NameSockets third = name_sockets(path(), address);
  EXPECT_EQ(sys::receive_datagram(third.udp.get(), data, sizeof data), 5U);
}

} // namespace banger::net
