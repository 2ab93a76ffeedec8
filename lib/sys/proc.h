// Facts about processes and about this host, from /proc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/handle.h"
#include "core/units.h"
#include "model/vm.h"

namespace banger::sys {

const std::string& boot_id();
// When this host was booted, by its clock as it is set now.
WallTime boot_time();
// The identity of a process that runs now.
std::optional<ProcessId> find_process(int pid);
ProcessId this_process();
// Whether exactly that process is still there (a zombie is not).
bool is_alive(const ProcessId& id);
// A pidfd for exactly that process; none if it is gone. Check, open and signal cannot be fooled by
// a recycled pid: the descriptor is opened first and the start time compared after.
std::optional<Fd> open_process(const ProcessId& id);
// Sends a signal to exactly that process; false if it is gone.
bool send_signal(const ProcessId& id, int signal);
// Waits until exactly that process has ended; false if it is still there after `patience`.
bool await_end(const ProcessId& id, Millis patience);
// Ends exactly that process (SIGKILL) and waits until it has gone. Nothing happens if it has gone
// already; one that is still there after `patience` is Error(failed).
void end_process(const ProcessId& id, Millis patience);

// The same for every process whose working directory is `dir`, but for those named. Nothing happens
// where there is no such directory: it tells what is the caller's only as long as it stands.
void end_all_in(const std::string& dir, const std::vector<ProcessId>& except, Millis patience);

struct ProcessInfo {
  ProcessId id;
  std::string comm;
  // Empty where it may not be read, and where it is another directory than the one of that name
  // here: a process may have mounts of its own.
  std::string cwd;
  uid_t uid;
};
std::vector<ProcessInfo> list_processes();

bool is_root();
// Free memory that can be had without swapping (MemAvailable), bytes.
int64_t available_memory();
// Memory of the host, bytes.
int64_t total_memory();
// How many files a process started by this one may have open (the soft limit).
int64_t most_open_files();
// kHz of this host's time stamp counter, measured against CLOCK_MONOTONIC_RAW for about 20 ms.
int64_t measure_tsc_khz();

} // namespace banger::sys
