// What doctor says of the rights of banger-helper (ops/common/rights.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "model/settings.h"

namespace banger::ops {

// The command that mends why the helper could not be used: the two ways to allow it, where that is
// the reason.
std::string how_to_use_helper(const Dirs& dirs, const Error& fault);

// The capabilities that a program's file has in effect, from the content of its attribute
// security.capability (capabilities(7)); none for another form.
std::optional<uint64_t> file_capabilities(const std::string& attribute);
// The names of those that the helper needs and that are not among these.
std::vector<std::string> missing_capabilities(uint64_t there);

} // namespace banger::ops
