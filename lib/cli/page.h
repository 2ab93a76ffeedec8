// The one source of --help and of the man pages: the description of a tool or a verb, as a plain
// value, and its two forms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"

namespace banger::cli {

struct Page {
  struct Entry {
    std::string term, text;
  };
  struct Section {
    std::string title; // "Options"
    std::vector<Entry> entries;
  };
  std::string name;     // "banger-vm-create", the man page's name
  std::string called;   // "banger vm create", how people call it
  std::string synopsis; // what follows it: "[OPTION]... NAME"
  std::string summary;  // "create a VM and leave it stopped"
  std::string manual;   // as in VerbEntry
  std::vector<Section> sections;
  std::vector<Entry> examples; // command, what it does
  std::string note;            // a last paragraph
};

Page tool_page(const Tool& tool);
// Of the verbs whose first word is `group`; for a terminal alone.
Page group_page(const Tool& tool, std::string_view group);
// "banger-vm-snapshot-create"; the tool's own for a verb without a name.
std::string page_name(const Tool& tool, const VerbEntry& verb);
// Constructs the verb to read its declaration; runs nothing.
Page verb_page(const Tool& tool, const VerbEntry& verb);

// For a terminal, at most 80 columns wide but for words that are longer.
std::string help_text(const Page& page);
// As roff for man(1). `see_also` are further pages ("banger(7)").
std::string man_text(const Page& page, const std::vector<std::string>& see_also);

} // namespace banger::cli
