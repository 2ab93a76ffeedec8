// The per-VM seed and the module list, as text. Pure: no effects, no heap.
//
// Seed: lines key=value, written by guest/identity/seed.h's writer. Unknown keys and lines without
// '=' are ignored; the last of a repeated key counts. Values may not be longer than their field.
//   hostname  address (IPv4)  prefix (0-32)  gateway (IPv4)  dns (unused: resolv.conf is a file)
//   mac (aa:bb:cc:dd:ee:ff)  disk (direct|overlay)  root (/dev/vda)  upper (/dev/vdb)
//   work (/dev/vdb)  work_mount (path)  init (path)
//
// Module list: lines "PATH WHEN"; WHEN is `always`, `virtio:N` (a virtio device of type N is there)
// or `overlay` (the seed's disk is overlay).
#pragma once

#include <cstdint>
#include <string_view>

namespace banger::init {

struct Seed {
  char hostname[65] = "";
  uint32_t address = 0; // network byte order; 0: none is set
  uint32_t gateway = 0; // the same
  int prefix = 24;
  char mac[18] = ""; // lower case; empty: the first interface that is not lo
  bool overlay = false;
  char root[64] = "/dev/vda";
  char upper[64] = "/dev/vdb";
  char work[64] = ""; // empty: there is none
  char work_mount[256] = "/root";
  char init[256] = ""; // empty: the usual places
};

// Fills `seed`; the key whose value is unusable, or null when all is well.
const char* parse_seed(std::string_view text, Seed& seed);

// The text before the first `end`; all of `text` where there is none. (Not substr: its check would
// bring exceptions, and with them a third of this program's size.)
std::string_view before(std::string_view text, char end);

struct Module {
  std::string_view path;
  enum class When { always, virtio, overlay } when = When::always;
  unsigned virtio_type = 0;
};
// Takes the next line off `text`; false at the end. Blank lines are passed over.
bool next_module(std::string_view& text, Module& module);

} // namespace banger::init
