// Settings as one program hands them on to another, whole: a program that works for a verb knows
// all that the verb knows.
#pragma once

#include "model/settings.h"
#include "model/wire.h"

namespace banger {

Json to_json(const Settings& settings);
// A key that is missing has its default. Throws Json::exception, or Error(usage), for another type
// or value.
Settings settings_of(const Json& j);

bool operator==(const Settings& a, const Settings& b);

} // namespace banger
