#include "ops/ssh/sync.h"

#include <gtest/gtest.h>

namespace banger::ops {
namespace {

Dirs dirs() {
  Dirs d;
  d.bin = "/opt/bin";
  d.state = "/state";
  return d;
}

TEST(RsyncCommand, IntoAVmAllIsKeptButOwners) {
  SyncRequest request;
  request.from = {{}, "src"};
  request.to = {"demo", "/srv"};
  sys::Command c = rsync_command(request, dirs(), 022);
  EXPECT_EQ(c.argv,
            (std::vector<std::string>{"rsync", "-aHS", "--no-owner", "--no-group", "--protect-args",
                                      "--modify-window=-1", "--rsh=\"/opt/bin/banger-ssh\" demo --",
                                      "./src/", "exec:/srv/"}));
  EXPECT_EQ(c.env.at("BANGER_STATE_DIR"), "/state");
}

TEST(RsyncCommand, OutOfAVmComesNothingThatGivesRights) {
  SyncRequest request;
  request.from = {"demo", ""};
  request.to = {{}, "/back"};
  request.remove = true;
  request.exclude = {"*.o"};
  sys::Command c = rsync_command(request, dirs(), 027);
  EXPECT_EQ(c.argv,
            (std::vector<std::string>{
                "rsync", "-aHS", "--no-owner", "--no-group", "--protect-args", "--modify-window=-1",
                "--no-devices", "--no-specials", "--chmod=ug-s,g-w,o-r,o-w,o-x", "--delete",
                "--exclude=*.o", "--rsh=\"/opt/bin/banger-ssh\" demo --", "exec:./", "/back/"}));
}

} // namespace
} // namespace banger::ops
