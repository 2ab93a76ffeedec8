#include "cli/parse.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "sample.h"

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;

// `verb` and `common` filled from the words.
void parse(const Tool& tool, Verb& verb, Common& common, const Words& words) {
  Line line = split_line(tool, words);
  ASSERT_NE(line.verb, nullptr);
  Spec spec;
  verb.declare(spec);
  parse_line(tool, *line.verb, spec, common, line);
}

Error refusal(const Words& words, bool with_tail = false) {
  Tool tool = sample_tool();
  Sample verb;
  verb.with_tail = with_tail;
  Common common;
  try {
    parse(tool, verb, common, words);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::failed, "nothing");
}

TEST(Parse, AVerbMayHaveTwoWords) {
  Tool tool = sample_tool();
  for (const Words& words :
       {Words{"disk", "add", "a"}, {"--json", "disk", "-q", "add", "--force", "a"}}) {
    Line line = split_line(tool, words);
    ASSERT_NE(line.verb, nullptr);
    EXPECT_EQ(line.verb->name, "disk add");
    EXPECT_EQ(line.group, "");
    EXPECT_EQ(line.args.back(), "a");
  }
  EXPECT_EQ(split_line(tool, Words{"disk", "ls"}).verb->name, "disk list");
  EXPECT_EQ(split_line(tool, Words{"help", "disk", "add"}).verb->name, "disk add");
  Line group = split_line(tool, Words{"disk", "--help"});
  EXPECT_EQ(group.verb, nullptr);
  EXPECT_TRUE(group.help);
  EXPECT_EQ(group.group, "disk");
  Error e = refusal({"disk", "lst"});
  EXPECT_EQ(e.message().substr(0, 15), "unknown command");
  EXPECT_NE(e.message().find(" disk lst'"), std::string::npos);
  EXPECT_NE(e.hint().find(" disk list'?"), std::string::npos);
  // Neither word alone is a verb.
  EXPECT_EQ(find_verb(tool, "disk"), nullptr);
  EXPECT_EQ(find_verb(tool, "add"), nullptr);
}

TEST(Parse, EveryShapeOfOption) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c,
        {"start", "-f", "--memory", "1G", "--disk=2G", "--label", "a=b", "x", "--label=c=d", "y"});
  EXPECT_TRUE(v.force);
  EXPECT_EQ(v.memory, "1G");
  EXPECT_EQ(v.disk, "2G");
  EXPECT_EQ(v.labels, (Words{"a=b", "c=d"}));
  EXPECT_EQ(v.names, (Words{"x", "y"}));
}

TEST(Parse, ShortOptionsMayStandTogether) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c, {"start", "-fqm1G", "x"});
  EXPECT_TRUE(v.force);
  EXPECT_TRUE(c.quiet);
  EXPECT_EQ(v.memory, "1G");
}

TEST(Parse, WhatWasNotGivenStaysAsItIs) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c, {"start", "x"});
  EXPECT_EQ(v.memory, "512M");
  EXPECT_EQ(v.disk, std::nullopt);
  EXPECT_FALSE(v.force);
}

TEST(Parse, CommonOptionsBeforeAndAfterTheVerb) {
  for (const Words& words : {Words{"--json", "--state-dir", "start", "start", "x"},
                             Words{"start", "--json", "x", "--state-dir", "start"},
                             Words{"--state-dir=start", "start", "x", "--json"}}) {
    Sample v;
    Common c;
    parse(sample_tool(), v, c, words);
    EXPECT_TRUE(c.json);
    EXPECT_EQ(c.state_dir, "start");
    EXPECT_EQ(v.names, (Words{"x"}));
  }
}

TEST(Parse, ValuesAreTakenAsTheyAre) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c,
        {"start", "--memory", "-1", "--disk= ", "--label", "[a,b]", "--label", " ", "[x,y]", "-",
         ""});
  EXPECT_EQ(v.memory, "-1");
  EXPECT_EQ(v.disk, " ");
  EXPECT_EQ(v.labels, (Words{"[a,b]", " "}));
  EXPECT_EQ(v.names, (Words{"[x,y]", "-", ""}));
}

TEST(Parse, TheLastOfTwoCounts) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c, {"start", "--memory", "1G", "--memory=2G", "-f", "-f", "x"});
  EXPECT_EQ(v.memory, "2G");
}

TEST(Parse, BehindTheDashesNothingIsAnOption) {
  Sample v;
  Common c;
  parse(sample_tool(), v, c, {"start", "x", "--", "--force", "-y", "--"});
  EXPECT_FALSE(v.force);
  EXPECT_EQ(v.names, (Words{"x", "--force", "-y", "--"}));

  Sample with_tail;
  with_tail.with_tail = true;
  parse(sample_tool(), with_tail, c, {"start", "x", "--", "ls", "--help", "--", "a"});
  EXPECT_EQ(with_tail.names, (Words{"x"}));
  EXPECT_EQ(with_tail.tail, (Words{"ls", "--help", "--", "a"}));
}

TEST(Parse, TheLastOperandIsKeptForWhoNeedsIt) {
  Copy v;
  Common c;
  parse(sample_tool(), v, c, {"cp", "a", "b", "demo:/tmp"});
  EXPECT_EQ(v.from, (Words{"a", "b"}));
  EXPECT_EQ(v.to, "demo:/tmp");
}

TEST(Parse, HelpIsSeenWhereverItStands) {
  Tool tool = sample_tool();
  for (const Words& words : {Words{"start", "--bogus", "-h"}, Words{"--help", "start"},
                             Words{"help", "start"}, Words{"--json", "help", "start"}}) {
    Line line = split_line(tool, words);
    EXPECT_TRUE(line.help);
    ASSERT_NE(line.verb, nullptr);
    EXPECT_EQ(line.verb->name, "start");
  }
  EXPECT_FALSE(split_line(tool, Words{"start", "--", "--help"}).help);
  EXPECT_EQ(split_line(tool, Words{"--help"}).verb, nullptr);
}

TEST(Parse, ANamelessVerbTakesWhatIsNoVerb) {
  Tool tool = mixed_tool();
  EXPECT_EQ(split_line(tool, Words{"demo"}).verb->name, "");
  EXPECT_EQ(split_line(tool, Words{"demo", "cp"}).verb->name, "");
  EXPECT_EQ(split_line(tool, Words{"--json", "cp", "a", "b"}).verb->name, "cp");
  EXPECT_EQ(split_line(tool, Words{"--force", "cp"}).verb->name, "");
  EXPECT_EQ(split_line(tool, Words{""}).args, (Words{""}));
  EXPECT_EQ(split_line(tool, Words{}).verb->name, "");
}

TEST(Refused, UnknownWordsNameTheNearOne) {
  EXPECT_EQ(refusal({"strat"}).message(), "unknown command 'banger vm strat'");
  EXPECT_EQ(refusal({"strat"}).hint(), "did you mean 'banger vm start'?");
  EXPECT_EQ(refusal({"secret1"}).hint(), "see 'banger vm --help'"); // hidden ones are not told
  EXPECT_EQ(refusal({"start", "--memmory", "1"}).message(), "unknown option '--memmory'");
  EXPECT_EQ(refusal({"start", "--memmory=1"}).hint(), "did you mean '--memory'?");
  EXPECT_EQ(refusal({"start", "--qwertyuiop"}).hint(), "see 'banger vm start --help'");
  EXPECT_EQ(refusal({"start", "-z"}).message(), "unknown option '-z'");
  EXPECT_EQ(refusal({"start", "-fz", "x"}).message(), "unknown option '-z'");
  EXPECT_EQ(refusal({""}).message(), "unknown command 'banger vm '");
}

TEST(Refused, AVerbsOptionBeforeTheVerb) {
  EXPECT_EQ(refusal({"--force", "start", "x"}).message(), "unknown option '--force'");
}

TEST(Refused, ValuesThatAreMissingOrTooMany) {
  EXPECT_EQ(refusal({"start", "x", "--memory"}).message(), "option '--memory' needs a value");
  EXPECT_EQ(refusal({"start", "x", "-m"}).message(), "option '--memory' needs a value");
  EXPECT_EQ(refusal({"start", "x", "--memory", "--", "y"}).message(),
            "option '--memory' needs a value");
  EXPECT_EQ(refusal({"start", "x", "--force=yes"}).message(), "option '--force' takes no value");
  EXPECT_EQ(refusal({"start", "x", "--json=false"}).message(), "option '--json' takes no value");
}

TEST(Refused, AnEmptyTextIsNotTheOptionLeftOut) {
  EXPECT_EQ(refusal({"start", "x", "--image="}).message(), "invalid --image '': it is empty");
  EXPECT_EQ(refusal({"start", "x", "--image", ""}).message(), "invalid --image '': it is empty");
}

TEST(Refused, WordsThatAreNoChoice) {
  Error e = refusal({"start", "x", "--net", "brige"});
  EXPECT_EQ(e.message(), "invalid --net 'brige': it is one of user, bridge, isolated");
  EXPECT_EQ(e.hint(), "did you mean 'bridge'?");
  EXPECT_EQ(refusal({"start", "x", "--net="}).message(),
            "invalid --net '': it is one of user, bridge, isolated");
  EXPECT_EQ(refusal({"start", "x", "--log-level=loud"}).code(), Code::usage);
}

TEST(Refused, OperandsThatAreMissingOrTooMany) {
  EXPECT_EQ(refusal({"start"}).message(), "no NAME given");
  EXPECT_EQ(refusal({"start"}).hint(), "see 'banger vm start --help'");

  Copy copy;
  Common common;
  try {
    parse(sample_tool(), copy, common, {"cp", "only"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "no TARGET given");
  }
}

} // namespace
} // namespace banger::cli
