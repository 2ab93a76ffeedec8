#include "vmm/qmp.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sys/socket.h"

namespace banger::vmm {

namespace {

Error gone() { return Error(Code::unreachable, "QEMU has gone"); }

} // namespace

Qmp::Qmp(sys::Loop& loop, Fd fd, OnEvent on_event)
    : loop_(loop), fd_(std::move(fd)), lines_(fd_.get()), on_event_(std::move(on_event)) {
  if (!fd_) return;
  sys::set_nonblocking(fd_.get());
  out_ = std::make_unique<sys::Outbox>(loop_, fd_.get());
  loop_.watch(fd_.get(), [this] { read(); });
  out_->send("{\"execute\":\"qmp_capabilities\"}\n");
}

Qmp::~Qmp() {
  for (auto& [id, open] : open_) loop_.cancel(open.timer);
  if (fd_) loop_.forget(fd_.get());
}

void Qmp::execute(const std::string& command, const Json& arguments, Millis patience,
                  Answer answer) {
  ask(command, arguments, patience, std::move(answer),
      [this](const std::string& line) { return out_ && out_->send(line); });
}

void Qmp::execute_with(int with, const std::string& command, const Json& arguments, Millis patience,
                       Answer answer) {
  ask(command, arguments, patience, std::move(answer), [this, with](const std::string& line) {
    if (!out_ || out_->waiting() > 0) return false;
    try {
      sys::send_with_descriptor(fd_.get(), line, with);
    } catch (const Error&) {
      return false;
    }
    return true;
  });
}

void Qmp::ask(const std::string& command, const Json& arguments, Millis patience, Answer answer,
              const std::function<bool(const std::string& line)>& send) {
  std::string id = fmt::format("banger-{}", ++asked_);
  Json message = {{"execute", command}, {"id", id}, {"arguments", arguments}};
  bool sent = send(message.dump() + "\n");
  Error late = sent ? Error(Code::unreachable, "QEMU does not answer") : gone();
  // A refusal comes from the loop as well.
  auto timer = loop_.after(sent ? patience : Millis(0),
                           [this, id, late] { complete(id, std::unexpected(late)); });
  open_.emplace(id, Open{std::move(answer), timer});
}

void Qmp::complete(const std::string& id, std::expected<Json, Error> result) {
  auto node = open_.extract(id);
  if (node.empty()) return; // its time was over
  loop_.cancel(node.mapped().timer);
  node.mapped().answer(std::move(result));
}

void Qmp::read() {
  if (!fd_) return;
  std::weak_ptr<bool> alive = alive_;
  bool more = true;
  try {
    more = lines_.fill();
    while (auto line = lines_.buffered()) {
      take(Json::parse(*line, nullptr, false));
      if (alive.expired()) return;
    }
  } catch (const Error&) {
    if (alive.expired()) return;
    more = false; // a line that has no end
  }
  if (!more) close();
}

void Qmp::close() {
  loop_.forget(fd_.get());
  out_.reset();
  fd_.reset();
  std::weak_ptr<bool> alive = alive_;
  while (!alive.expired() && !open_.empty())
    complete(open_.begin()->first, std::unexpected(gone()));
}

void Qmp::take(const Json& message) {
  if (!message.is_object()) return;
  if (message.contains("QMP")) {
    Json v = message.value("/QMP/version/qemu"_json_pointer, Json::object());
    version_ =
        fmt::format("{}.{}.{}", v.value("major", 0), v.value("minor", 0), v.value("micro", 0));
  } else if (message.contains("event")) {
    on_event_(message.value("event", ""), message.value("data", Json::object()));
  } else if (message.contains("error")) {
    std::string why = escape_for_terminal(message.value("/error/desc"_json_pointer, ""));
    complete(message.value("id", ""), std::unexpected(failed("QEMU refuses it: {}", why)));
  } else if (message.contains("return")) {
    complete(message.value("id", ""), message["return"]);
  }
}

} // namespace banger::vmm
