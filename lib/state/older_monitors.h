// Monitors of an older build that run on while the state is brought to a newer schema. Private to
// state/.
//
// Such a monitor opened the database before, so nothing refuses it, and it goes on with the
// statements of its own schema (up to 3): it has the present run of its VM in columns of table vm,
// and the private network in the fact "net", as JSON. While one lives, both are there beside
// today's tables. Triggers carry over what it writes; of the runs it reads what the migration
// found, and its own; of the network, what is there now. So its guest may reboot, and its VM's end
// is recorded by itself. When the last of them has gone, so has all of this.
#pragma once

#include "state/db.h"
#include "state/net_place.h"

namespace banger::state {

// Of a database that has just got vm_run, within that transaction.
void serve_older_monitors(Db& db);

// Moves the fact "net" to the tables that it has now, within the transaction that made these.
void take_net_fact(Db& db);

// The network has changed, in this transaction. `place.dir` is empty when it is gone.
void tell_older_monitors(Db& db, const NetPlaceRecord& place);

// Takes away what serves them if none of them lives. Cheap where there is nothing.
void dismiss_older_monitors(Db& db);

} // namespace banger::state
