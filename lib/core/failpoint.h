// Places at which a test can make banger die or fail, one before each step that changes something.
//
// They sit in the wrappers of sys (each mutating system call) and of state (each commit), so that
// no mutating step can be without one. In builds without BANGER_FAILPOINTS (release) a point
// compiles to nothing.
//
//   BANGER_FAILPOINT=NAME[#N]:kill|enospc|eio|emfile|sleep=MS   acts on the Nth pass (default 1)
//   BANGER_FAILPOINT_TRACE=FILE                                 appends one NAME a pass; to a file
//                                                               PROGRAM in it if it is a directory
//
// N counts passes of NAME in one process. Children inherit the environment and count for
// themselves; BANGER_FAILPOINT_IN=PROGRAM confines both to processes whose name is PROGRAM (as in
// /proc/self/comm).
#pragma once

#include <array>
#include <string_view>

namespace banger {

enum class Point {
  mkdir,
  create,   // a file opened with O_CREAT, a lock file included
  write,    // data written to a file that existed
  truncate, // ftruncate, fallocate
  clone,    // FICLONE, copy_file_range
  rename,
  link, // hard and symbolic
  unlink,
  rmdir,
  chmod,
  bind,    // a Unix socket made, a UDP port taken
  spawn,   // a program started
  kill,    // a signal sent
  tap,     // a tap device made
  netlink, // network links made, changed or removed
  rules,   // rules of nftables changed
  forward, // a port forwarded or no more
  loop,    // a loop device set up or cleared
  map,     // a device of device-mapper made, changed or removed
  commit   // a SQLite transaction about to be committed
};

struct PointName {
  Point point;
  std::string_view name;
};
inline constexpr std::array<PointName, 20> failpoint_names{
    {{Point::mkdir, "sys.mkdir"},     {Point::create, "sys.create"},
     {Point::write, "sys.write"},     {Point::truncate, "sys.truncate"},
     {Point::clone, "sys.clone"},     {Point::rename, "sys.rename"},
     {Point::link, "sys.link"},       {Point::unlink, "sys.unlink"},
     {Point::rmdir, "sys.rmdir"},     {Point::chmod, "sys.chmod"},
     {Point::bind, "sys.bind"},       {Point::spawn, "sys.spawn"},
     {Point::kill, "sys.kill"},       {Point::tap, "sys.tap"},
     {Point::netlink, "net.link"},    {Point::rules, "net.rules"},
     {Point::forward, "net.forward"}, {Point::loop, "disk.loop"},
     {Point::map, "disk.map"},        {Point::commit, "state.commit"}}};

#ifdef BANGER_FAILPOINTS
inline constexpr bool failpoints_built_in = true;
// Throws Error with the errno asked for, kills the process, or returns.
void failpoint(Point point);
#else
inline constexpr bool failpoints_built_in = false;
inline void failpoint(Point) {}
#endif

} // namespace banger
