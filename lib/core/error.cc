#include "core/error.h"

#include <cstring>

namespace banger {

std::string_view name_of(Code code) {
  switch (code) {
  case Code::failed:
    return "failed";
  case Code::usage:
    return "usage";
  case Code::not_found:
    return "not_found";
  case Code::conflict:
    return "conflict";
  case Code::preflight:
    return "preflight";
  case Code::timeout:
    return "timeout";
  case Code::unreachable:
    return "unreachable";
  }
  return "failed";
}

int exit_status(Code code) {
  switch (code) {
  case Code::failed:
  case Code::unreachable:
    return 1;
  case Code::usage:
    return 2;
  case Code::not_found:
    return 3;
  case Code::conflict:
    return 4;
  case Code::preflight:
    return 5;
  case Code::timeout:
    return 6;
  }
  return 1;
}

Error Error::from_errno(int err, std::string message) {
  Error e(Code::failed, std::move(message));
  e.errno_ = err;
  e.message_ += ": ";
  // strerror's own wording begins with a capital; ours does not.
  std::string text = std::strerror(err);
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  e.message_ += text;
  return e;
}

Error& Error::within(std::string_view context) & {
  message_ = fmt::format("{}: {}", context, message_);
  return *this;
}

Error& Error::default_subject(std::string_view s) {
  if (subject_.empty()) subject_ = s;
  return *this;
}

Error& Error::default_hint(std::string_view s) {
  if (hint_.empty()) hint_ = s;
  return *this;
}

Error& Error::default_log(std::string_view s) {
  if (log_.empty()) log_ = s;
  return *this;
}

} // namespace banger
