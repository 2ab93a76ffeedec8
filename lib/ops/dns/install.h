// Tells this host's resolver to ask the DNS daemon for names of VMs, and takes that back.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ops/common/context.h"
#include "ops/dns/resolver_plan.h"

namespace banger::ops {

// The plan that install() would carry out on this host. Changes nothing. Throws as plan_resolver.
ResolverPlan plan_install(const Settings& settings);
Json to_json(const ResolverPlan& plan);
// "systemctl daemon-reload", as a shell takes it.
std::string to_text(const Words& command);

// Writes the plan's files, has the resolver read them, and proves it by a look-up of libc's that
// comes to dns.listen: to a daemon there, of any state, or to this process where there is none.
// A step that fails takes all of it back. Gives the paths written; where all were there already,
// it only proves. `tell` hears each step before it is done. Throws Error(preflight) for a user
// who is not root, Error(conflict) where a file is there that is not ours, or another program
// has dns.listen.
std::vector<std::string> install(const Settings& settings, const Dirs& dirs, Log& log,
                                 const ResolverPlan& plan, const OnNotice& tell);
// Removes the files of install(), for every resolver that the host may have had; gives their paths.
std::vector<std::string> uninstall(const Settings& settings, const Dirs& dirs,
                                   const OnNotice& tell);

} // namespace banger::ops
