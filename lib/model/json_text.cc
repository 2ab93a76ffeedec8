#include "model/json_text.h"

#include <nlohmann/json.hpp>

namespace banger {

void JsonText::quote(std::string_view text) {
  // Nearly all of it is plain; nlohmann::json, which knows all the rules, takes the rest.
  unsigned special = 0; // no way out of the loop: so it is done many bytes at once
  for (char c : text)
    special |= static_cast<unsigned>(c < ' ') | (c == 0x7f) | (c == '"') | (c == '\\');
  if (!special) {
    text_ += '"';
    text_ += text;
    text_ += '"';
  } else {
    using nlohmann::json;
    text_ += json(text).dump(-1, ' ', true, json::error_handler_t::replace);
  }
}

} // namespace banger
