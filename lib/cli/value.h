// The values that options, operands and keys of the config take: one description of each for
// reading it, for help, man page and completion.
//
// A kind (Text, Number, Size, Duration, Boolean, Choice, As) says which values there are; kinds
// that several places share, with their bounds, stand in cli/kinds.h. A Target ties a kind to the
// variable that a value goes to.
#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/units.h"

namespace banger::cli {

// How a value may stand in the config file: as a string, and numbers and booleans as such.
enum class Form { text, number, boolean, size, duration };

// Every kind has `form` and `read`, which throws Error(usage) that calls the value `what`. One with
// few values has `words`, all of them; one with bounds that people should know has `range`.
template <typename K>
concept Kind = requires(const K& kind, std::string_view what, std::string_view text) {
  { K::form } -> std::convertible_to<Form>;
  kind.read(what, text);
};

struct Text {
  static constexpr Form form = Form::text;
  bool may_be_empty = true;
  std::string read(std::string_view what, std::string_view text) const;
};

struct Number {
  static constexpr Form form = Form::number;
  int64_t least = 0, most = std::numeric_limits<int64_t>::max();
  int64_t read(std::string_view what, std::string_view text) const;
  std::string range() const; // "1 to 64"
};

struct Size {
  static constexpr Form form = Form::size;
  int64_t most = int64_t{1} << 50, least = 1; // bytes
  int64_t multiple = 1;                       // it is a whole number of so many bytes
  int64_t read(std::string_view what, std::string_view text) const;
};

struct Duration {
  static constexpr Form form = Form::duration;
  Millis least{0};
  Millis read(std::string_view what, std::string_view text) const;
};

struct Boolean {
  static constexpr Form form = Form::boolean;
  bool read(std::string_view what, std::string_view text) const;
};

// The place of `text` among the words. Throws Error(usage) that names them, and the near one.
size_t choose(std::string_view what, std::string_view text, const std::vector<std::string>& words);

template <typename T>
struct Choice {
  static constexpr Form form = Form::text;
  std::vector<std::pair<std::string, T>> values;

  std::vector<std::string> words() const {
    std::vector<std::string> out;
    for (const auto& [word, value] : values) out.push_back(word);
    return out;
  }
  T read(std::string_view what, std::string_view text) const {
    return values[choose(what, text, words())].second;
  }
};

// The values of an enum, by their names.
template <typename E>
Choice<E> one_of(std::initializer_list<E> values) {
  Choice<E> choice;
  for (E v : values) choice.values.emplace_back(name_of(v), v);
  return choice;
}
inline Choice<std::string> one_of(std::initializer_list<const char*> words) {
  Choice<std::string> choice;
  for (const char* w : words) choice.values.emplace_back(w, w);
  return choice;
}
// The same, and "auto" for none.
template <typename T>
Choice<std::optional<T>> or_auto(const Choice<T>& choice) {
  Choice<std::optional<T>> out;
  out.values.emplace_back("auto", std::nullopt);
  for (const auto& [word, value] : choice.values) out.values.emplace_back(word, value);
  return out;
}

// A value that the function F reads from the text; F names the value in its errors.
template <auto F>
struct As {
  static constexpr Form form = Form::text;
  auto read(std::string_view, std::string_view text) const { return F(text); }
};

template <typename T>
inline constexpr bool is_vector = false;
template <typename T>
inline constexpr bool is_vector<std::vector<T>> = true;

class Target {
public:
  Target() = default;
  // A switch: it stands alone and takes no value.
  Target(bool* place) : set_([place] { *place = true; }) {}
  Target(std::string* place) : Target(Text{}, place) {}
  Target(std::optional<std::string>* place) : Target(Text{}, place) {}
  Target(std::vector<std::string>* place) : Target(Text{}, place) {}
  // `place` is a T, an optional or a vector of it; a vector takes several values.
  template <Kind K, typename Place>
  Target(const K& kind, Place* place) : form_(K::form), repeats_(is_vector<Place>) {
    if constexpr (requires { kind.words(); }) words_ = kind.words();
    if constexpr (requires { kind.range(); }) range_ = kind.range();
    take_ = [kind, place](std::string_view what, std::string_view text) {
      auto value = kind.read(what, text);
      if constexpr (is_vector<Place>)
        place->push_back(std::move(value));
      else
        assign(*place, std::move(value));
    };
  }

  bool is_switch() const { return set_ != nullptr; }
  bool repeats() const { return repeats_; }
  Form form() const { return form_; }
  const std::vector<std::string>& words() const { return words_; } // empty: not only a few
  const std::string& range() const { return range_; }              // empty: nothing to say

  void set() const { set_(); }
  // Throws Error(usage) that calls the value `what`.
  void take(std::string_view what, std::string_view text) const { take_(what, text); }

private:
  template <typename T, typename V>
  static void assign(T& place, V value) {
    place = std::move(value);
  }
  // A number's bounds are those of its place.
  static void assign(int& place, int64_t value) { place = static_cast<int>(value); }
  static void assign(std::optional<int>& place, int64_t value) { place = static_cast<int>(value); }
  static void assign(std::optional<size_t>& place, int64_t value) {
    place = static_cast<size_t>(value);
  }

  Form form_ = Form::text;
  bool repeats_ = false;
  std::vector<std::string> words_;
  std::string range_;
  std::function<void()> set_;
  std::function<void(std::string_view, std::string_view)> take_;
};

} // namespace banger::cli
