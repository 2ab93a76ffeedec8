// libFuzzer's way in. BANGER_FUZZ_SEEDS names the directory that the seeds are written to at first.
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "fuzz/try.h"

using namespace banger::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* place = std::getenv("BANGER_FUZZ_SEEDS")) {
    int number = 0;
    for (const std::string& seed : BANGER_FUZZ_SEEDS())
      std::ofstream(std::string(place) + "/seed" + std::to_string(number++)) << seed;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  BANGER_FUZZ_TRY({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
