#include <gtest/gtest.h>

#include "cli/complete.h"
#include "cli/page.h"
#include "core/text.h"
#include "sample.h"

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;

Page sample_page() { return verb_page(sample_tool(), sample_verbs()[0]); }

TEST(Help, ReadsFromTheTopToWhatIsRare) {
  std::string text = help_text(sample_page());
  EXPECT_TRUE(text.starts_with("Usage: banger vm start [OPTION]... NAME...\n\n"
                               "Start VMs.\n\n"
                               "Boots them.\n\n"
                               "Operands:\n"
                               "  NAME                    the VMs\n\n"
                               "Options:\n"
                               "  -f, --force             do it all the same\n"
                               "  -m, --memory SIZE       memory (default: 512M)\n"
                               "      --disk SIZE         root disk\n"
                               "      --net MODE          network: user, bridge, isolated\n"
                               "      --label K=V         attach a label (may be repeated)\n"))
      << text;
}

TEST(Help, ListsTheVerbsThatArePublic) {
  std::string text = help_text(tool_page(sample_tool()));
  EXPECT_NE(text.find("\n  start                   start VMs\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST(Help, WrapsAtEightyColumnsAndKeepsWhatIsIndented) {
  Page page = sample_page();
  page.manual =
      "A paragraph of many words that has to be wrapped somewhere near the right edge\n"
      "of the page, wherever its own lines end.\n\n    as it is   |\n    and this\n\nEnd.";
  std::string text = help_text(page);
  for (const std::string& line : split(text, '\n')) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(text.find("right edge\nof the page, wherever its own lines end.\n\n"
                      "    as it is   |\n    and this\n\nEnd.\n"),
            std::string::npos)
      << text;
}

TEST(Man, SaysWhatHelpSays) {
  Page page = sample_page();
  page.examples = {{"banger vm start demo", "boot it"}};
  std::string man = man_text(page, {"banger(7)"});
  EXPECT_NE(man.find(".TH \"BANGER\\-VM\\-START\" \"1\""), std::string::npos) << man;
  EXPECT_NE(man.find("banger\\-vm\\-start \\- start VMs\n"), std::string::npos);
  for (const Page::Section& section : page.sections)
    for (const Page::Entry& entry : section.entries) {
      std::string first = split(std::string(trim(entry.term)), ' ')[0];
      std::string escaped;
      for (char c : first) escaped += c == '-' ? "\\-" : std::string(1, c);
      EXPECT_NE(man.find(escaped), std::string::npos) << entry.term;
    }
  EXPECT_NE(man.find("banger vm start demo"), std::string::npos);
}

TEST(Man, NothingInItIsAnInstruction) {
  Page page = sample_page();
  page.manual = ".so /etc/passwd\n\n    .shell\n\n'quoted' and \\fBslash";
  std::string man = man_text(page, {});
  EXPECT_EQ(man.find("\n.so"), std::string::npos) << man;
  EXPECT_EQ(man.find("\n.shell"), std::string::npos);
  EXPECT_EQ(man.find("\n'"), std::string::npos);
  EXPECT_NE(man.find("\\efBslash"), std::string::npos);
}

std::string completed(const Words& words, const Tool& tool = sample_tool()) {
  Dirs dirs;
  std::string out;
  // Without the descriptions.
  for (const std::string& line : split(complete(tool, words, &dirs), '\n'))
    if (!line.empty()) out += split(line, '\t')[0] + " ";
  return out;
}

TEST(Complete, Verbs) {
  EXPECT_EQ(completed({""}), "start stop cp disk ");
  EXPECT_EQ(completed({"st"}), "start stop ");
  EXPECT_EQ(completed({"help", "c"}), "cp ");
  EXPECT_EQ(completed({"--json", "--config", "x", "c"}), "cp ");
  EXPECT_EQ(completed({"bogus", ""}), "start stop cp disk ");
  // A verb of two words, a word at a time; options may stand between them.
  EXPECT_EQ(completed({"disk", ""}), "add list ");
  EXPECT_EQ(completed({"disk", "--json", "l"}), "list ");
  EXPECT_EQ(completed({"help", "disk", "a"}), "add ");
  EXPECT_EQ(completed({"disk", "bogus", ""}), "add list ");
}

TEST(Complete, Options) {
  EXPECT_EQ(completed({"start", "--me"}), "--memory ");
  EXPECT_EQ(completed({"start", "x", "--j"}), "--json ");
  EXPECT_EQ(completed({"--m"}), ""); // a verb's own, but no verb yet
}

TEST(Complete, Values) {
  EXPECT_EQ(completed({"start", "--net", ""}), "user bridge isolated ");
  EXPECT_EQ(completed({"start", "--net=b"}), "--net=bridge ");
  EXPECT_EQ(completed({"start", "--image", ""}), "debian tiny ");
  EXPECT_EQ(completed({"start", "--from", "x"}), ":files ");
  EXPECT_EQ(completed({"start", "--state-dir", ""}), ":directories ");
  EXPECT_EQ(completed({"start", "--memory", ""}), "");
}

TEST(Complete, OperandsOneAfterAnother) {
  EXPECT_EQ(completed({"start", "d"}), "demo dim ");
  EXPECT_EQ(completed({"start", "demo", ""}), "demo dim web ");
  EXPECT_EQ(completed({"cp", ""}), ":files ");
  EXPECT_EQ(completed({"start", "x", "--", ""}), ":files ");
}

TEST(Complete, ANamelessVerbTakesNamesToo) {
  EXPECT_EQ(completed({""}, mixed_tool()), "cp demo dim web ");
  EXPECT_EQ(completed({"cp", ""}, mixed_tool()), ":files ");
  EXPECT_EQ(completed({"demo", "--fo"}, mixed_tool()), "--force ");
}

struct Remove : Verb {
  std::string vm;
  std::vector<std::string> names;
  void declare(Spec& spec) override {
    spec.options = {{.flags = "--by", .value = "WHO", .help = "who", .target = &vm}};
    spec.operands = {
        {.name = "NAME", .help = "whose", .complete = Complete::vms, .target = &vm},
        {.name = "SNAPSHOT", .help = "what", .complete = Complete::snapshots, .target = &names}};
  }
  int run(App&) override { return 0; }
};

TEST(Complete, SnapshotsAreThoseOfTheFirstOperand) {
  static const std::array<VerbEntry, 1> verbs{
      {{.name = "snapshot rm",
        .summary = "remove",
        .manual = "",
        .examples = {},
        .objects = {},
        .make = [] { return std::unique_ptr<Verb>(new Remove); }}}};
  Tool tool = sample_tool();
  tool.verbs = verbs;
  EXPECT_EQ(completed({"snapshot", "rm", "demo", ""}, tool), "") << "a tool that knows of none";
  tool.names_of = [](Complete, const Dirs&, const std::string& owner) -> Words {
    if (owner != "demo") throw failed("no such VM");
    return {"before", "later"};
  };
  EXPECT_EQ(completed({"snapshot", "rm", "d"}, tool), "demo dim ");
  EXPECT_EQ(completed({"snapshot", "rm", "demo", ""}, tool), "before later ");
  EXPECT_EQ(completed({"snapshot", "rm", "--by", "x", "demo", "before", "l"}, tool), "later ");
  EXPECT_EQ(completed({"snapshot", "rm", "x", ""}, tool), "");
}

TEST(Complete, NamesThatCannotBeReadAreNone) {
  Tool tool = sample_tool();
  tool.names = [](Complete, const Dirs&) -> Words { throw failed("no state"); };
  EXPECT_EQ(completed({"start", ""}, tool), "");
  EXPECT_EQ(complete(tool, Words{"start", ""}, nullptr), "");
  EXPECT_EQ(complete(tool, Words{}, nullptr), "");
}

} // namespace
} // namespace banger::cli
