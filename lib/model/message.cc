#include "model/message.h"

#include "core/error.h"

namespace banger {

Json parse_message(std::string_view line) {
  Json j = Json::parse(line, nullptr, false);
  if (!j.is_object() || j.value("v", 0) < 1)
    throw failed("a message between banger's own programs cannot be read");
  return j;
}

std::string message_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace banger
