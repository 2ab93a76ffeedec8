#include "model/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/wire.h"

namespace banger {

TEST(JsonText, IsWhatATreeOfValuesWouldPrint) {
  JsonText o;
  o.add("text", "plain");
  o.add("hard", std::string_view("a\"b\\c\n\x01 ü €"));
  o.add("number", int64_t{5'000'000'000});
  o.add("minus", -3);
  o.add("real", 0.25);
  o.add("yes", true);
  o.add("none", std::optional<double>());
  o.add("some", std::optional<int64_t>(7));
  o.add_or_null("empty", "");
  o.open("nothing");
  o.close();
  o.open_list("list");
  o.open_item();
  o.add("a", 1);
  o.close();
  o.open_item();
  o.close();
  o.close_list();
  o.open("inner");
  o.add("k\"ey", "");
  o.close();
  o.add_null("last");
  std::string wanted =
      R"({"text":"plain","hard":"a\"b\\c\n\u0001 \u00fc \u20ac","number":5000000000,)"
      R"("minus":-3,"real":0.25,"yes":true,"none":null,"some":7,"empty":null,)"
      R"("nothing":{},"list":[{"a":1},{}],"inner":{"k\"ey":""},"last":null})";
  std::string text = o.take();
  EXPECT_EQ(wanted, text);
  EXPECT_EQ(wanted, nlohmann::ordered_json::parse(text).dump(-1, ' ', true));
}

TEST(JsonText, InvalidTextIsReplaced) {
  JsonText o;
  o.add("bad", std::string_view("a\xff\x80z"));
  EXPECT_EQ("a\uFFFD\uFFFDz", nlohmann::json::parse(o.take())["bad"]);
}

TEST(JsonText, NoControlCharacterStaysAsItIs) {
  std::string said = "\x1b[2J \u009b2J \u0085 \x7f \u202e";
  JsonText o;
  o.add("said", said);
  std::string text = o.take();
  EXPECT_EQ(R"({"said":"\u001b[2J \u009b2J \u0085 \u007f \u202e"})", text);
  EXPECT_EQ(said, nlohmann::json::parse(text)["said"].get<std::string>());
}

TEST(JsonText, AnEmptyObject) { EXPECT_EQ("{}", JsonText().take()); }

TEST(Wire, AVmIsOneValidObjectWhateverIsInIt) {
  Dirs dirs;
  dirs.state = "/s\"t";
  Vm vm;
  vm.id = "0123456789ab";
  vm.name = "demo";
  for (bool full : {false, true}) {
    if (full) {
      vm.reason = "a \"reason\"\n";
      vm.labels = {{"k", "v"}, {"k2", "\xff"}};
      vm.ports = {{"tcp", "127.0.0.1", 1, 2}, {"udp", "127.0.0.1", 3, 4}};
      vm.fault = VmFault{"failed", "m", ""};
      vm.accel = Accel::kvm;
      vm.run.emplace().vmm.pid = 7;
      vm.timings.ready = 1e-7;
      vm.work_size = 9;
      vm.work_mount = "/root";
      vm.created = {1'700'000'000'000'000'000};
    }
    auto json = nlohmann::json::parse(to_text(vm, dirs, "lab.internal", {5, {}}));
    EXPECT_EQ(full ? 2u : 0u, json["net"]["ports"].size());
    EXPECT_EQ("demo.lab.internal", json["net"]["dns"]);
    EXPECT_EQ(full, json["error"].is_object());
    EXPECT_EQ(full, json["timings"]["ready"] == 1e-7);
    EXPECT_EQ(full ? nlohmann::json("2023-11-14T22:13:20.000Z") : nlohmann::json(),
              json["created"]);
    EXPECT_EQ("/s\"t/keys/id_ed25519", json["ssh"]["identity"]);
    EXPECT_EQ(5, json["root"]["used"]);
    EXPECT_EQ(full, json["work"].is_object());
  }
}

} // namespace banger
