// This host's resolver told to ask the DNS daemon for names of VMs, and told no more.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ops/common/context.h"
#include "ops/dns/resolver_plan.h"

namespace banger::ops {

// What would be done on this host. Changes nothing. Throws as plan_resolver.
ResolverPlan plan_install(const Settings& settings);
Json to_json(const ResolverPlan& plan);
// "systemctl daemon-reload", as a shell takes it.
std::string to_text(const Words& command);

// Writes the plan's files, has the resolver read them, and proves it by a look-up of libc's that
// comes to dns.listen: to a daemon there, of whatever state, or to this process where there is
// none. Where one of these fails all is taken back. Gives what was written; where nothing had to
// be, it proves alone. `tell` hears each step before it is done. Throws Error(preflight) for who
// is not root, Error(conflict) where a file is there that is not ours, or another program has
// dns.listen.
std::vector<std::string> install(const Settings& settings, const Dirs& dirs, Log& log,
                                 const ResolverPlan& plan, const OnNotice& tell);
// Removes what install() has written, whatever the host's resolver was then; gives what was there.
std::vector<std::string> uninstall(const Settings& settings, const Dirs& dirs,
                                   const OnNotice& tell);

} // namespace banger::ops
