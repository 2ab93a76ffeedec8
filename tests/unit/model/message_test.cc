// Errors that other programs told.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/message.h"

namespace banger {

TEST(Message, AnErrorArrivesAsItWasTold) {
  Error e = told_error(
      {{"code", "conflict"}, {"message", "m"}, {"subject", "s"}, {"hint", nullptr}}, "x");
  EXPECT_EQ(e.code(), Code::conflict);
  EXPECT_EQ(e.message(), "m");
  EXPECT_EQ(e.subject(), "s");
  EXPECT_EQ(e.hint(), "");
}

TEST(Message, WhatTellsNothingIsAFailure) {
  for (const Json& j : {Json::object(), Json(), Json("text"),
                        Json{{"code", 3}, {"message", {1, 2}}}, Json{{"code", "steam"}}}) {
    Error e = told_error(j, "no reason");
    EXPECT_EQ(e.code(), Code::failed);
    EXPECT_EQ(e.message(), "no reason");
  }
}

} // namespace banger
