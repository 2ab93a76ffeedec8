// Asks over ssh whether a guest is ready, until it is, and makes the VM's host key. The guest is
// left alone until its init has given way to its own programs: each connection before that is one
// which a forwarder keeps for it, and it would get all of them at once (guest/service/ready.h). One
// program does both (libexec/banger/banger-guest await, guest/boot/protocol.h). It is started
// early, so that it is there by the time it is asked. Where it is killed, another one is started.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "core/log.h"
#include "guest/boot/protocol.h"
#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/process.h"

namespace banger::ops {

class Readiness {
public:
  using OnKey = std::function<void(std::expected<guest::KeyPair, Error>)>;
  using OnReport = std::function<void(const guest::StageReport&)>;

  // The program's error output goes to `errors`. `on_report` is called from the loop, with each
  // change; ready and mismatch are the last. `silence`: see begin().
  Readiness(sys::Loop& loop, Log& log, std::string libexec, int errors, OnReport on_report,
            Millis silence = Millis(30'000));
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Starts the program, so that it is there in time.
  void warm_up();
  // A new host key, from the loop; before begin() only. The program may die once over it.
  void make_host_key(OnKey on_key);
  // The guest boots. It is asked once its init is done, `has_userland`, or when see() was not
  // called for `silence`, as a console can be lost. It is asked until end().
  void begin(const guest::Endpoint& endpoint, bool has_userland);
  // There was a sign on the guest's console.
  void see(bool has_userland);
  // Ends both: no more reports, and no key.
  void end();

private:
  void start();
  void drop();
  void on_output();
  void ask_for_key();
  void key_fault(const Error& e);
  void ask_later(Millis pause);
  void ask();
  void ask_again();

  sys::Loop& loop_;
  Log& log_;
  std::string libexec_;
  int errors_;
  OnReport on_report_;
  Millis silence_;

  Fd link_;
  std::unique_ptr<sys::Child> child_;
  std::unique_ptr<sys::LineReader> lines_;
  OnKey on_key_;
  int key_tries_ = 0;
  std::optional<guest::Endpoint> endpoint_; // from begin() to end()
  bool asks_ = false;                       // the guest
  sys::Loop::Timer timer_ = 0;              // the key's deadline, or the next try
};

} // namespace banger::ops
