// Stands for QEMU (qemu.binary) where the host's own work is measured: boots nothing, says nothing,
// and lives until it is ended.
#include <unistd.h>

int main() {
  for (;;) ::pause();
}
