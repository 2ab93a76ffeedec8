// How this user has done what needs root's rights: by banger's one program for that (helper/ask.h).
#pragma once

#include <string>

#include "model/settings.h"
#include "sys/process.h"

namespace banger::ops {

struct HelperWay {
  // Root starts it directly; a user directly, where the file has the capabilities and he may
  // execute it, or else through sudo, which must not ask for a password.
  enum Way { root, capabilities, sudo } way;
  std::string program;
};
// Throws Error(preflight) for a program that another than root could have changed: to give that one
// rights would be to give root's to whoever can.
HelperWay helper_way(const Dirs& dirs);
sys::Command helper_command(const Dirs& dirs);

} // namespace banger::ops
