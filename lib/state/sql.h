// The files NAME.sql of this directory, which the build puts into the library as text
// (lib/CMakeLists.txt). Private to state/.
#pragma once

namespace banger::state::sql {

extern const char schema[];
extern const char migration_2[];
extern const char migration_3[];
extern const char migration_4[];
extern const char migration_5[];
extern const char migration_6[];
extern const char migration_8[];
extern const char migration_9[];
extern const char migration_10[];
extern const char net_of_fact[];
extern const char older_monitors[];
extern const char older_monitors_gone[];

} // namespace banger::state::sql
