#include "cli/page.h"

#include <algorithm>

#include "cli/parse.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace banger::cli {

namespace {

std::string sentence(std::string_view text) {
  std::string s(text);
  if (!s.empty() && s[0] >= 'a' && s[0] <= 'z') s[0] = static_cast<char>(s[0] - 'a' + 'A');
  return s.empty() || s.ends_with('.') ? s : s + ".";
}

Page::Entry option_entry(const Option& o) {
  std::vector<std::string> flags = split(o.flags, ',');
  std::string term = flags[0].starts_with("--") ? "    " : "";
  term += join(flags, ", ");
  if (!o.value.empty()) term += " " + o.value;
  std::string text = o.help;
  const std::vector<std::string>& words = o.target.words();
  if (!words.empty()) text += fmt::format(": {}", join(words, ", "));
  if (!o.target.range().empty()) text += fmt::format(": {}", o.target.range());
  if (!o.fallback.empty()) text += fmt::format(" (default: {})", o.fallback);
  if (o.target.repeats()) text += " (may be repeated)";
  return {term, text};
}

Page::Section option_section(std::string title, std::span<const Option> options) {
  Page::Section section{std::move(title), {}};
  for (const Option& o : options) section.entries.push_back(option_entry(o));
  return section;
}

std::string synopsis_of(const Spec& spec) {
  std::string text = "[OPTION]...";
  for (const Operand& o : spec.operands) {
    std::string word = o.target.repeats() ? o.name + "..." : o.name;
    text += o.required ? fmt::format(" {}", word) : fmt::format(" [{}]", word);
  }
  if (spec.tail != nullptr)
    text += fmt::format(" [{}{}...]", spec.tail_follows ? "" : "-- ", spec.tail_name);
  return text;
}

// --- Text

constexpr size_t page_width = 80, term_width = 26;

// Appends `text` in lines of at most page_width, each but the first indented; the first begins at
// `column`, where `out` stands already.
void wrap(std::string& out, std::string_view text, size_t indent, size_t column) {
  bool first = true;
  for (const std::string& word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!first && column + 1 + word.size() > page_width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      column++;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

void text_entry(std::string& out, const Page::Entry& entry) {
  size_t column = 2 + entry.term.size();
  out += fmt::format("  {}", entry.term);
  if (entry.text.empty()) {
    out += '\n';
    return;
  }
  if (column + 2 > term_width) {
    out += '\n';
    column = 0;
  }
  out.append(term_width - column, ' ');
  wrap(out, entry.text, term_width, term_width);
}

// --- Roff

// Text in which nothing is an instruction. '-' becomes a minus, so that it can be copied.
std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  if (out.starts_with('.')) out.insert(0, "\\&");
  return out;
}

void roff_entry(std::string& out, const Page::Entry& entry) {
  out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(trim(entry.term)), roff(sentence(entry.text)));
}

// Calls `line` for a line shown as it is and `paragraph` for running text; `gap` between blocks.
template <typename Paragraph, typename Verbatim, typename Gap>
void each_block(std::string_view manual, Paragraph paragraph, Verbatim verbatim, Gap gap) {
  std::string running;
  bool any = false, before = false, was_verbatim = false;
  auto end_paragraph = [&] {
    if (running.empty()) return;
    if (before) gap();
    paragraph(running);
    running.clear();
    before = true;
    was_verbatim = false;
  };
  for (const std::string& line : split(manual, '\n')) {
    if (trim(line).empty()) {
      end_paragraph();
      was_verbatim = false;
    } else if (line.starts_with("    ")) {
      end_paragraph();
      if (before && !was_verbatim) gap();
      verbatim(line);
      before = was_verbatim = true;
    } else {
      if (!running.empty()) running += ' ';
      running += trim(line);
    }
    any = true;
  }
  if (any) end_paragraph();
}

} // namespace

Page tool_page(const Tool& tool) {
  Page page;
  page.name = tool.name;
  page.called = called(tool, nullptr);
  page.synopsis = "COMMAND [OPTION]...";
  page.summary = tool.summary;
  page.manual = tool.manual;
  Page::Section verbs{"Commands", {}};
  for (const VerbEntry& v : tool.verbs)
    if (!v.hidden && !v.name.empty())
      verbs.entries.push_back({std::string(v.name), std::string(v.summary)});
  page.sections.push_back(std::move(verbs));
  Common common;
  page.sections.push_back(option_section("Common options", common_options(common)));
  page.note = fmt::format("See '{} COMMAND --help' for each.", page.called);
  return page;
}

Page group_page(const Tool& tool, std::string_view group) {
  Page page = tool_page(tool);
  page.called = called(tool, group);
  page.summary = fmt::format("commands about a {}", group);
  page.manual.clear();
  Page::Section& verbs = page.sections.front();
  verbs.entries.clear();
  for (const VerbEntry& v : tool.verbs)
    if (auto name = name_in_group(v, group); !v.hidden && !name.empty())
      verbs.entries.push_back({std::string(name), std::string(v.summary)});
  page.note = fmt::format("See '{} COMMAND --help' for each.", page.called);
  return page;
}

std::string page_name(const Tool& tool, const VerbEntry& verb) {
  std::string name = fmt::format("{}{}{}", tool.name, verb.name.empty() ? "" : "-", verb.name);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

Page verb_page(const Tool& tool, const VerbEntry& verb) {
  auto instance = verb.make();
  Spec spec;
  instance->declare(spec);

  Page page;
  page.name = page_name(tool, verb);
  page.called = called(tool, &verb);
  page.synopsis = synopsis_of(spec);
  page.summary = verb.summary;
  page.manual = verb.manual;
  if (verb.name.empty() && verb.manual.empty()) page.manual = tool.manual;

  Page::Section operands{"Operands", {}};
  for (const Operand& o : spec.operands) operands.entries.push_back({o.name, o.help});
  if (spec.tail != nullptr)
    operands.entries.push_back({(spec.tail_follows ? "" : "-- ") + spec.tail_name, spec.tail_help});
  if (!operands.entries.empty()) page.sections.push_back(std::move(operands));
  if (!spec.options.empty()) page.sections.push_back(option_section("Options", spec.options));
  // A tool that has verbs beside its nameless one lists them here: there is no other page for it.
  if (verb.name.empty()) {
    Page::Section verbs{"Commands", {}};
    for (const VerbEntry& v : tool.verbs)
      if (!v.hidden && !v.name.empty())
        verbs.entries.push_back({std::string(v.name), std::string(v.summary)});
    if (!verbs.entries.empty()) page.sections.push_back(std::move(verbs));
  }
  Common common;
  page.sections.push_back(option_section("Common options", common_options(common)));
  for (const Example& e : verb.examples)
    page.examples.push_back({std::string(e.command), std::string(e.what)});
  if (!verb.objects.empty()) {
    std::string kinds;
    for (std::string_view kind : verb.objects)
      kinds += fmt::format("{}'{}'", kinds.empty() ? "" : ", ", kind);
    page.note = fmt::format("With --json it prints objects of kind {}; share/banger/schema has "
                            "their JSON Schema.",
                            kinds);
  }
  return page;
}

std::string help_text(const Page& page) {
  std::string out = fmt::format("Usage: {} ", page.called);
  wrap(out, page.synopsis, 7 + page.called.size() + 1, out.size());
  out += '\n';
  wrap(out, sentence(page.summary), 0, 0);
  if (!trim(page.manual).empty()) out += '\n';
  each_block(
      page.manual, [&](const std::string& text) { wrap(out, text, 0, 0); },
      [&](const std::string& line) { out += line + '\n'; }, [&] { out += '\n'; });
  for (const Page::Section& section : page.sections) {
    out += fmt::format("\n{}:\n", section.title);
    for (const Page::Entry& entry : section.entries) text_entry(out, entry);
  }
  if (!page.examples.empty()) out += "\nExamples:\n";
  for (const Page::Entry& e : page.examples) {
    out += fmt::format("  {}\n", e.term);
    if (e.text.empty()) continue;
    out += "      ";
    wrap(out, e.text, 6, 6);
  }
  if (!page.note.empty()) {
    out += '\n';
    wrap(out, page.note, 0, 0);
  }
  return out;
}

std::string man_text(const Page& page, const std::vector<std::string>& see_also) {
  std::string title = page.name;
  std::transform(title.begin(), title.end(), title.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  std::string out =
      fmt::format(".TH \"{}\" \"1\" \"\" \"banger {}\" \"banger\"\n", roff(title), version());
  out += fmt::format(".SH NAME\n{} \\- {}\n", roff(page.name), roff(page.summary));
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR {}\n", roff(page.called), roff(page.synopsis));
  out += fmt::format(".SH DESCRIPTION\n{}\n", roff(sentence(page.summary)));
  if (!trim(page.manual).empty()) out += ".PP\n";
  each_block(
      page.manual, [&](const std::string& text) { out += roff(text) + '\n'; },
      [&](const std::string& line) { out += fmt::format(".nf\n{}\n.fi\n", roff(line)); },
      [&] { out += ".PP\n"; });
  for (const Page::Section& section : page.sections) {
    std::string heading = section.title;
    for (char& c : heading)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    out += fmt::format(".SH {}\n", heading);
    for (const Page::Entry& entry : section.entries) roff_entry(out, entry);
  }
  if (!page.examples.empty()) out += ".SH EXAMPLES\n";
  for (const Page::Entry& e : page.examples)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(e.term), roff(sentence(e.text)));
  if (!page.note.empty()) out += fmt::format(".SH NOTES\n{}\n", roff(page.note));
  out +=
      ".SH EXIT STATUS\n0 done; 1 failed; 2 usage; 3 not found; 4 conflict; 5 something is "
      "missing; 6 timed\n"
      "out; 7 several failed in different ways. Commands that relay a guest's status give 255 for\n"
      "a failure of banger's own.\n";
  if (!see_also.empty()) {
    out += ".SH SEE ALSO\n";
    for (size_t i = 0; i < see_also.size(); i++)
      out += fmt::format("{}{}\n", roff(see_also[i]), i + 1 < see_also.size() ? "," : "");
  }
  return out;
}

} // namespace banger::cli
