// A JSON object written straight into text, in the order of the calls.
//
// For objects that are printed by the hundred: building a tree of values first costs ten times the
// rest of `list`. It is ASCII: words of a guest may come here, and no control character of them, C1
// and DEL among them, may reach a terminal. Text that is no valid UTF-8 gets replacement
// characters. The caller closes all that it opened.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace banger {

class JsonText {
public:
  JsonText() {
    text_.reserve(2048);
    text_ = '{';
  }
  // "{…}" of all that was added; call it once, at the end.
  std::string take() { return std::move(text_ += '}'); }

  void open(std::string_view key) { begin(key), text_ += '{'; }
  void close() { text_ += '}'; }
  // An array of objects: open_list, then for each open_item … close.
  void open_list(std::string_view key) { begin(key), text_ += '['; }
  void open_item() { separate(), text_ += '{'; }
  void close_list() { text_ += ']'; }

  void add(std::string_view key, std::string_view text) { begin(key), quote(text); }
  void add(std::string_view key, const char* text) { add(key, std::string_view(text)); }
  void add(std::string_view key, bool yes) { begin(key), text_ += yes ? "true" : "false"; }
  template <typename T>
  requires std::integral<T> || std::floating_point<T>
  void add(std::string_view key, T number) {
    begin(key);
    if constexpr (std::integral<T>)
      text_ += fmt::format_int(number).c_str();
    else
      fmt::format_to(std::back_inserter(text_), "{}", number);
  }
  void add_null(std::string_view key) { begin(key), text_ += "null"; }
  template <typename T>
  void add(std::string_view key, const std::optional<T>& value) {
    value ? add(key, *value) : add_null(key);
  }
  // Null where it is empty.
  void add_or_null(std::string_view key, std::string_view text) {
    text.empty() ? add_null(key) : add(key, text);
  }

private:
  void separate() {
    if (text_.back() != '{' && text_.back() != '[') text_ += ',';
  }
  void begin(std::string_view key) { separate(), quote(key), text_ += ':'; }
  void quote(std::string_view text);

  std::string text_;
};

} // namespace banger
