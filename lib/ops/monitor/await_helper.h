// The helper of one boot (libexec/banger/banger-guest await, guest/boot/protocol.h): makes the VM's
// ssh host key, and asks its guest over ssh until it is ready. Started early, so that it is there
// by the time it is asked.
#pragma once

#include <optional>
#include <string>

#include "guest/boot/protocol.h"
#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace banger::ops {

class AwaitHelper {
public:
  // What it has to complain about goes to `errors`.
  AwaitHelper(const std::string& libexec_dir, int errors);
  // Ends it.
  ~AwaitHelper();
  AwaitHelper(const AwaitHelper&) = delete;
  AwaitHelper& operator=(const AwaitHelper&) = delete;

  // Has it make a new host key while its caller does something else, and the key, awaited. Before
  // begin() only; throws what went wrong.
  void ask_host_key();
  guest::KeyPair host_key();
  // From here on its reports come.
  void begin(const guest::Endpoint& endpoint);
  // Readable when there is something to fill().
  int fd() const { return link_.get(); }
  // As those of LineReader.
  bool fill() { return lines_.fill(); }
  std::optional<guest::StageReport> buffered();

private:
  Fd link_;
  sys::Child child_;
  sys::LineReader lines_;
  bool asked_ = false; // for a key that was not taken yet
};

} // namespace banger::ops
