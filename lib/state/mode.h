// What a state is opened for.
#pragma once

namespace banger::state {

enum class Mode { read, write };

} // namespace banger::state
