#include "model/message.h"

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

std::string message_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace banger
