// libext2fs's headers as they can be included. For this room's own files.
#pragma once

extern "C" { // this header does not say so itself
#include <et/com_err.h>
}
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#undef clamp // newer versions of it have a macro of that name
