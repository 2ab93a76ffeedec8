#include "model/message.h"

#include <nlohmann/json.hpp>

namespace banger {

Error unreadable_message() {
  return failed("a message between banger's own programs cannot be read");
}

Json parse_message(std::string_view line) {
  Json j = Json::parse(line, nullptr, false);
  if (!j.is_object()) throw unreadable_message();
  auto version = j.find("v");
  if (version == j.end() || !version->is_number_integer() || *version < 1)
    throw unreadable_message();
  if (*version > message_version)
    throw failed("a message between banger's own programs is of version {}, this one knows {}",
                 version->dump(), message_version)
        .hint("two builds of banger are at work on one state: use the newer one alone");
  return j;
}

Error told_error(const Json& e, std::string_view otherwise) {
  auto text = [&](const char* key) {
    auto at = e.is_object() ? e.find(key) : e.end();
    return at != e.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  Code code = Code::failed;
  for (Code c : {Code::usage, Code::not_found, Code::conflict, Code::preflight, Code::timeout,
                 Code::unreachable})
    if (name_of(c) == text("code")) code = c;
  std::string message = text("message");
  return Error(code, message.empty() ? std::string(otherwise) : message)
      .subject(text("subject"))
      .hint(text("hint"))
      .log(text("log"));
}

std::string message_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace banger
