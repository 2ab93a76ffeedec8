#include "model/json_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace banger {

void JsonText::quote(std::string_view text) {
  // Nearly all of it is plain; what is not, is left to those who know all the rules.
  bool plain = std::all_of(text.begin(), text.end(),
                           [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
  if (plain) {
    text_ += '"';
    text_ += text;
    text_ += '"';
  } else {
    using nlohmann::json;
    text_ += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

} // namespace banger
