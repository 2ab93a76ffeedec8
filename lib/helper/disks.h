// Root disks that device-mapper shows, for any user: what banger-helper does for a map and an
// unmap.
//
// The record in /run/banger (sys/host_records.h) tells whose each is, and is there from before the
// device is made until after it has gone: nobody but root takes away what it does not say is his.
// The files are opened with the user's own rights, from his state's directory on, without following
// a link anywhere; they are regular files of his that have one name, on a file system of this host.
#pragma once

#include "disk/mapping.h"
#include "helper/caller.h"
#include "sys/host_records.h"

namespace banger::helper {

class Disks {
public:
  Disks(const Caller& caller, const disk::MapLimits& limits);
  // Throws Error(usage) for what no banger asks for; Error(conflict) where it is another's, or more
  // than the limits allow; Error(preflight) where it cannot be done here.
  disk::Mapped map(const disk::MapPlan& plan);
  // Absence is no failure.
  void unmap(const disk::Mapping& mapping);

private:
  bool is_his(const disk::Mapping& mapping) const;
  void record(const disk::Mapping& mapping, int64_t size);
  void forget(const disk::Mapping& mapping);

  const Caller& caller_;
  disk::MapLimits limits_;
  sys::HostRecords records_;
};

} // namespace banger::helper
