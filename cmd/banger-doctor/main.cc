// banger-doctor: is this machine ready, and is anything left over?
#include <array>

#include "banger-doctor/doctor.h"

using namespace banger;

namespace {

const std::array<cli::VerbEntry, 1> verbs{{tool::entry()}};

const cli::Tool program{
    "banger-doctor", "check this machine for what banger needs",
    "Tells what a VM needs of this machine and whether it is there, finds what was "
    "left over, and backs up the state.",
    verbs};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(program, argc, argv); }
