// The error of an ext4 file system that has no room left.
#pragma once

#include "core/error.h"

namespace banger::disk {

// The file system is full, whatever room the host has.
struct Ext4Full : Error {
  using Error::Error;
};

} // namespace banger::disk
