#include "core/version.h"

namespace banger {

std::string_view version() { return BANGER_VERSION; }

} // namespace banger
