#include "vmm/http.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/text.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace banger::vmm {

namespace {

constexpr size_t most_answer = size_t{1} << 20;
// A pause between tries to connect: bind(2) makes the awaited name, and listen(2) comes unseen.
constexpr Millis until_it_listens{2};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <typename T>
bool read_number(std::string_view text, T& value) {
  text = trim(text);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

} // namespace

std::optional<std::pair<HttpAnswer, size_t>> parse_http_answer(std::string_view bytes) {
  size_t head = bytes.find("\r\n\r\n");
  if (head == bytes.npos) {
    if (bytes.size() > most_answer) throw failed("an answer has no end");
    return {};
  }
  HttpAnswer answer;
  auto lines = split(std::string(bytes.substr(0, head)), '\n');
  if (!lines[0].starts_with("HTTP/1.") || lines[0].size() < 12 ||
      !read_number(std::string_view(lines[0]).substr(9, 3), answer.status))
    throw failed("an answer is no HTTP");
  size_t length = 0;
  for (const std::string& line : lines) {
    size_t colon = line.find(':');
    if (colon == line.npos || lower(line.substr(0, colon)) != "content-length") continue;
    if (!read_number(std::string_view(line).substr(colon + 1), length) || length > most_answer)
      throw failed("an answer has a length that cannot be");
  }
  size_t whole = head + 4 + length;
  if (bytes.size() < whole) return {};
  answer.body = bytes.substr(head + 4, length);
  return std::pair(std::move(answer), whole);
}

Http::Http(sys::Loop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

Http::~Http() {
  for (Open& open : open_) loop_.cancel(open.timer);
  loop_.cancel(again_);
  if (awaited_) loop_.forget(awaited_.get());
  if (fd_) loop_.forget(fd_.get());
}

void Http::request(const std::string& method, const std::string& path, const std::string& body,
                   Millis patience, Answer answer) {
  std::string text = fmt::format(
      "{} {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n", method, path);
  if (!body.empty())
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  text += "\r\n" + body;
  auto timer = loop_.after(patience, [this] { give_up("it does not answer"); });
  open_.push_back({std::move(text), std::move(answer), timer});
  if (open_.size() > 1) return;
  // From the loop, so that `answer` is never called before this returns.
  loop_.cancel(again_);
  again_ = loop_.after(Millis(0), [this] { go_on(); });
}

// Sends the first request, or awaits the socket.
void Http::go_on() {
  if (open_.empty() || sent_) return;
  if (!fd_) {
    try {
      fd_ = sys::connect_unix(socket_, Millis(100));
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) return give_up(e.message());
      return await_socket();
    }
    if (awaited_) loop_.forget(awaited_.get());
    awaited_.reset();
    sys::set_nonblocking(fd_.get());
    out_ = std::make_unique<sys::Outbox>(loop_, fd_.get());
    loop_.watch(fd_.get(), [this] { read(); });
  }
  sent_ = out_->send(open_.front().text);
  if (!sent_) give_up("it has gone");
}

void Http::await_socket() {
  if (sys::exists(socket_)) {
    again_ = loop_.after(until_it_listens, [this] { go_on(); });
    return;
  }
  if (awaited_) return;
  try {
    awaited_ = sys::watch_dir(socket_.substr(0, socket_.rfind('/')));
  } catch (const Error& e) {
    return give_up(e.message());
  }
  loop_.watch(awaited_.get(), [this] {
    sys::drain_events(awaited_.get());
    go_on();
  });
  // The socket may have come between the look and the watch.
  if (sys::exists(socket_)) again_ = loop_.after(Millis(0), [this] { go_on(); });
}

void Http::read() {
  std::weak_ptr<bool> alive = alive_;
  std::string bytes = sys::read_some(fd_.get(), 65536);
  if (bytes.empty()) return give_up("it has gone");
  came_ += bytes;
  while (!open_.empty()) {
    std::optional<std::pair<HttpAnswer, size_t>> next;
    try {
      next = parse_http_answer(came_);
    } catch (const Error& e) {
      return give_up(e.message());
    }
    if (!next) return;
    came_.erase(0, next->second);
    Open open = std::move(open_.front());
    open_.pop_front();
    loop_.cancel(open.timer);
    sent_ = false;
    open.answer(std::move(next->first));
    if (alive.expired()) return;
    go_on();
    if (alive.expired()) return;
  }
}

void Http::give_up(const std::string& why) {
  if (fd_) loop_.forget(fd_.get());
  if (awaited_) loop_.forget(awaited_.get());
  loop_.cancel(again_);
  out_.reset();
  fd_.reset();
  awaited_.reset();
  came_.clear();
  sent_ = false;
  std::list<Open> all = std::exchange(open_, {});
  std::weak_ptr<bool> alive = alive_;
  for (Open& open : all) loop_.cancel(open.timer);
  for (Open& open : all) {
    if (alive.expired()) return;
    open.answer(
        std::unexpected(Error(Code::unreachable, fmt::format("the VMM cannot be asked: {}", why))));
  }
}

} // namespace banger::vmm
