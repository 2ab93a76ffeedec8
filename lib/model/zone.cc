#include "model/zone.h"

#include "core/error.h"
#include "core/text.h"
#include "model/name.h"

namespace banger {

namespace {

constexpr size_t longest_name = 63, longest = 253 - longest_name - 1;

std::string fault_of(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > longest) return fmt::format("it is longer than {} characters", longest);
  auto labels = split(text, '.');
  for (const std::string& label : labels)
    if (label.empty()) return "a label of it is empty";
  for (const std::string& label : labels)
    if (!is_name(label)) return fmt::format("'{}' is no label", escape_for_terminal(label));
  if (labels.back().find_first_not_of("0123456789") == std::string::npos)
    return "its last label is a number, as of an address";
  return {};
}

} // namespace

std::string valid_zone(std::string_view what, std::string_view text) {
  if (std::string fault = fault_of(text); !fault.empty())
    throw usage("invalid {} '{}': {}", what, escape_for_terminal(text.substr(0, 80)), fault)
        .subject(std::string(text.substr(0, 80)))
        .hint("labels of lower-case letters, digits and '-', joined by '.', as in lab.internal");
  return std::string(text);
}

std::string full_name(std::string_view name, std::string_view zone) {
  return fmt::format("{}.{}", name, zone);
}

} // namespace banger
