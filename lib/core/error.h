// One error type for the whole tree.
//
// Guarantees: an Error says which operation failed on which subject, gains context on its way up
// (`within`), is printed once (cli/guard.h) and maps to one exit status (`exit_status`).
// Messages follow one form: lower case, no full stop, the problem first, the subject in single
// quotes. The next step is a hint; the file that tells more is the log.
//
// Errors are for failure. An outcome that a caller branches on is an optional or an expected.
#pragma once

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace banger {

// The kinds of failure a script can tell apart; their names are on the wire ("code").
enum class Code { failed, usage, not_found, conflict, preflight, timeout, unreachable };

std::string_view name_of(Code code);
// 0 is success; 1 failed and unreachable, 2 usage, 3 not found, 4 conflict, 5 preflight, 6 timeout.
int exit_status(Code code);
// The status of a verb that acted on several things which failed in different ways.
inline constexpr int status_mixed = 7;
// The status of a verb that relays a guest's status, for every failure of banger's own.
inline constexpr int status_own_failure = 255;

class Error : public std::exception {
public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  // "MESSAGE: strerror(err)". The errno stays readable through error_number(). ENOSPC and the like
  // keep the code `failed`; the caller decides when an errno means something more exact.
  static Error from_errno(int err, std::string message);

  // The chain is meant for building: throw Error(...).subject("demo").hint("...").
  Error&& subject(std::string s) && { return subject_ = std::move(s), std::move(*this); }
  Error&& hint(std::string s) && { return hint_ = std::move(s), std::move(*this); }
  Error&& log(std::string path) && { return log_ = std::move(path), std::move(*this); }
  // Puts "CONTEXT: " before the message.
  Error& within(std::string_view context) &;
  Error&& within(std::string_view context) && { return within(context), std::move(*this); }
  // Fills in what is still empty, for the catcher that knows more than the thrower.
  Error& default_subject(std::string_view s);
  Error& default_hint(std::string_view s);
  Error& default_log(std::string_view s);

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& subject() const { return subject_; }
  const std::string& hint() const { return hint_; }
  const std::string& log() const { return log_; }
  // The errno behind this error, 0 where there is none.
  int error_number() const { return errno_; }
  const char* what() const noexcept override { return message_.c_str(); }

private:
  Code code_;
  int errno_ = 0;
  std::string message_, subject_, hint_, log_;
};

// throw failed("cannot read '{}'", path) and its kin.
template <typename... A>
Error failed(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::failed, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
Error usage(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::usage, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
Error not_found(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::not_found, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
Error conflict(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::conflict, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
Error preflight(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::preflight, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
Error timed_out(fmt::format_string<A...> f, A&&... a) {
  return Error(Code::timeout, fmt::format(f, std::forward<A>(a)...));
}
// "MESSAGE: strerror(errno)": reads errno at once, before the arguments are formatted.
template <typename... A>
Error sys_error(int err, fmt::format_string<A...> f, A&&... a) {
  return Error::from_errno(err, fmt::format(f, std::forward<A>(a)...));
}

} // namespace banger
