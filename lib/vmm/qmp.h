// QMP, QEMU's control protocol, on a loop: JSON lines; a greeting, then commands with ids, their
// answers, and events. See QEMU's docs/interop/qmp-spec.txt.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/handle.h"
#include "core/units.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/outbox.h"

namespace banger::vmm {

class Qmp {
public:
  using Json = nlohmann::json;
  using Answer = std::function<void(std::expected<Json, Error>)>;
  using OnEvent = std::function<void(const std::string& name, const Json& data)>;

  // `fd` is a connection, or none: then every command fails. Greets at once.
  Qmp(sys::Loop& loop, Fd fd, OnEvent on_event);
  ~Qmp();
  Qmp(const Qmp&) = delete;
  Qmp& operator=(const Qmp&) = delete;

  // `answer` is called from the loop: with the command's result; with Error(failed) when QEMU
  // refuses it; with Error(unreachable) when QEMU has gone, or `patience` passed. An answer that
  // comes later is dropped.
  void execute(const std::string& command, const Json& arguments, Millis patience, Answer answer);
  // The same; QEMU gets a copy of the descriptor `with`.
  void execute_with(int with, const std::string& command, const Json& arguments, Millis patience,
                    Answer answer);
  // Reads the lines that are there now.
  void read();
  std::string version() const { return version_; }

private:
  struct Open {
    Answer answer;
    sys::Loop::Timer timer;
  };
  void ask(const std::string& command, const Json& arguments, Millis patience, Answer answer,
           const std::function<bool(const std::string& line)>& send);
  void take(const Json& message);
  void complete(const std::string& id, std::expected<Json, Error> result);
  void close();

  sys::Loop& loop_;
  Fd fd_;
  sys::LineReader lines_;
  std::unique_ptr<sys::Outbox> out_;
  OnEvent on_event_;
  std::map<std::string, Open> open_;
  std::string version_;
  int asked_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // callbacks may destroy this
};

} // namespace banger::vmm
