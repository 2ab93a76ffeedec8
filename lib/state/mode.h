// The purpose for which a state is opened.
#pragma once

namespace banger::state {

enum class Mode { read, write };

} // namespace banger::state
