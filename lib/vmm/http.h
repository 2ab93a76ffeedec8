// Requests over a VMM's Unix socket, on a loop: HTTP/1.1, one connection, one request after the
// other, answers with Content-Length or none.
//
// The socket may not be there yet: it is awaited (inotify), for as long as the first request has
// time. Bodies are small; an answer of more than 1 MiB ends the connection.
#pragma once

#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/handle.h"
#include "core/units.h"
#include "sys/loop.h"
#include "sys/outbox.h"

namespace banger::vmm {

struct HttpAnswer {
  int status = 0;
  std::string body;
  bool operator==(const HttpAnswer&) const = default;
};

// The first answer in `bytes`, and how many of them it takes; none while it is not whole. Throws
// Error(failed) for bytes that are no answer. Pure.
std::optional<std::pair<HttpAnswer, size_t>> parse_http_answer(std::string_view bytes);

class Http {
public:
  using Answer = std::function<void(std::expected<HttpAnswer, Error>)>;

  Http(sys::Loop& loop, std::string socket);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // `answer` is called from the loop, in the order of the requests: with the answer, of any status;
  // with Error(unreachable) when the other end has gone, or `patience` passed since the request
  // was made. Then the connection is given up, and the requests behind it with it.
  void request(const std::string& method, const std::string& path, const std::string& body,
               Millis patience, Answer answer);

private:
  struct Open {
    std::string text;
    Answer answer;
    sys::Loop::Timer timer;
  };
  void go_on();
  void await_socket();
  void read();
  void give_up(const std::string& why);

  sys::Loop& loop_;
  std::string socket_;
  Fd fd_, awaited_;
  std::unique_ptr<sys::Outbox> out_;
  std::string came_;
  std::list<Open> open_; // the first has been sent, once there is a connection
  bool sent_ = false;
  sys::Loop::Timer again_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // callbacks may destroy this
};

} // namespace banger::vmm
