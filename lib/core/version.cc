#include "core/version.h"

namespace banger {

std::string_view version() { return BANGER_VERSION; }
std::string_view install_prefix() { return BANGER_PREFIX; }

} // namespace banger
