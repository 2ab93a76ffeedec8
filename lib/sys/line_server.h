// A Unix socket whose clients say lines and hear lines, on a loop. No client can hold up another,
// whatever it does or does not do: nothing here waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/handle.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/outbox.h"

namespace banger::sys {

class LineServer {
public:
  class Client {
  public:
    Client(Loop& loop, Fd fd);
    // One that takes nothing for long hears no more; its end is seen all the same.
    void send(std::string_view line);
    // The same with a copy of a descriptor, for one that is waiting for nothing else. A client that
    // does not take all of it now loses its connection.
    void send_with(std::string_view line, int descriptor);
    // No more lines of it are read, until resume(). From its own on_line only.
    void pause() { paused_ = true; }
    // A descriptor that came along with its words, and that no callback has taken yet.
    Fd came;

  private:
    friend class LineServer;
    Fd fd_;
    LineReader lines_;
    Outbox out_;
    bool deaf_ = false, paused_ = false;
  };
  // For an answer that comes later: it is expired when the client has gone.
  using Peer = std::weak_ptr<Client>;

  struct Handlers {
    // A client whose on_line throws loses its connection.
    std::function<void(const std::shared_ptr<Client>&, const std::string& line)> on_line;
    // Told the error that a client's connection was lost by, or why none can be taken for a while.
    // Gives the line that the client hears last.
    std::function<std::string(const Error&)> on_fault;
    // One that has connected to listen()'s socket.
    std::function<void(const std::shared_ptr<Client>&)> on_join = {};
    // One whose connection has ended, by either end.
    std::function<void(const std::shared_ptr<Client>&)> on_leave = {};
    // Whether a process with this pid may connect; the connection of another ends unheard.
    std::function<bool(int pid)> admits = {};
  };

  LineServer(Loop& loop, Handlers handlers);
  ~LineServer();
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

  // Takes the clients that connect, from now on.
  void listen(Fd listener);
  // Another client, whose connection was made elsewhere.
  Peer add(Fd fd);
  // To all.
  void send(std::string_view line);
  // All that are paused go on, from the loop.
  void resume();

private:
  void accept();
  void read(const std::shared_ptr<Client>& client);
  void forget(const std::shared_ptr<Client>& client);

  Loop& loop_;
  Fd listener_;
  Handlers handlers_;
  Loop::Timer again_ = 0;
  std::vector<std::shared_ptr<Client>> clients_;
};

} // namespace banger::sys
