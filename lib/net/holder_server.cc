#include <list>

#include "core/error.h"
#include "net/holder.h"
#include "net/links.h"
#include "net/rules.h"
#include "sys/loop.h"
#include "sys/socket.h"

namespace banger::net {

namespace {

struct Client {
  Fd fd;
  sys::LineReader lines;
  explicit Client(Fd f) : fd(std::move(f)), lines(fd.get()) {}
};

class Server {
public:
  explicit Server(Fd listener) : listener_(std::move(listener)) {
    loop_.watch(listener_.get(), [this] {
      while (auto fd = sys::accept_one(listener_.get())) {
        sys::set_nonblocking(fd->get());
        Client& c = clients_.emplace_back(std::move(*fd));
        loop_.watch(c.fd.get(), [this, &c] { on_client(c); });
      }
    });
  }
  void run() { loop_.run(); }

private:
  void on_client(Client& c) {
    try {
      bool more = c.lines.fill();
      while (auto line = c.lines.buffered()) sys::send_all(c.fd.get(), answer(*line));
      if (more) return;
    } catch (const Error&) {
      // A peer that sends rubbish, or does not listen, loses its connection and nothing else.
    }
    loop_.forget(c.fd.get());
    clients_.remove_if([&](const Client& x) { return &x == &c; });
  }

  std::string answer(const std::string& line) {
    HolderAsk ask = parse_holder_ask(line);
    try {
      if (ask.verb == "drops") return drops_reply(rules_.drops(ask.table));
      if (ask.verb != "apply") throw failed("the holder does not know '{}'", ask.verb);
      // Away before it is made: a tap's name may be given anew.
      for (const std::string& name : ask.plan.absent) links_.remove(name);
      for (const Link& link : ask.plan.present) links_.ensure(link);
      rules_.apply(ask.plan.rules);
      return error_reply({}, {});
    } catch (const Error& e) {
      return error_reply(name_of(e.code()), e.message());
    }
  }

  Fd listener_;
  sys::Loop loop_;
  std::list<Client> clients_;
  Links links_;
  Rules rules_;
};

} // namespace

void serve_holder(Fd listener) { Server(std::move(listener)).run(); }

} // namespace banger::net
