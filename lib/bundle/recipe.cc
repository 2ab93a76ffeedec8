#include "bundle/recipe.h"

#include <algorithm>
#include <fnmatch.h>

#include <fmt/format.h>

#include "archive/sha256.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::bundle {

namespace {

// Part of a root's inputs: raised when this code makes something else of the same files.
constexpr int root_form = 1;

bool is_plain_path(std::string_view path) {
  for (const std::string& part : split(path, '/'))
    if (part.empty() || part == "." || part == "..") return false;
  return true;
}

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

mode_t parse_mode(std::string_view text) {
  mode_t mode = 0;
  if (text.size() != 4 || text.find_first_not_of("01234567") != text.npos)
    throw failed("'{}' is no mode of four digits", text);
  for (char c : text) mode = mode * 8 + static_cast<mode_t>(c - '0');
  return mode;
}

void parse_step(Recipe& recipe, const std::vector<std::string>& words) {
  const std::string& verb = words[0];
  auto is = [&](std::string_view name, size_t count) {
    return verb == name && words.size() == count + 1;
  };
  if (verb != "base" && verb != "size" && words.size() > 1 && !is_plain_path(words[1]))
    throw failed("'{}' is no plain relative path", words[1]);
  if (is("base", 1) && (words[1] == "minbase" || words[1] == "extract"))
    recipe.base = words[1] == "minbase" ? Recipe::Base::minbase : Recipe::Base::extract;
  else if (is("size", 1))
    recipe.size = parse_size("file system size", words[1]);
  else if (is("drop", 1))
    recipe.drop.push_back(words[1]);
  else if (is("dir", 2))
    recipe.dirs.emplace_back(words[1], parse_mode(words[2]));
  else if (is("link", 2))
    recipe.links.emplace_back(words[1], words[2]);
  else if (is("mode", 2))
    recipe.modes[words[1]] = parse_mode(words[2]);
  else if (is("applets", 1))
    recipe.applets = words[1];
  else
    throw failed("'{}' is no step of a recipe", join(words, " "));
}

void read_files(const std::string& dir, const std::string& below, RootSource& source) {
  for (const std::string& name : sys::list_dir(dir)) {
    std::string path = below + name, full = dir + "/" + name;
    auto info = sys::find_link_info(full);
    if (info && info->is_dir) {
      read_files(full, path + "/", source);
    } else if (info && info->is_file) {
      auto mode = source.recipe.modes.find(path);
      source.files.push_back(
          {path,
           mode != source.recipe.modes.end() ? mode->second : (info->mode & 0100 ? 0755u : 0644u),
           replace_all(sys::read_file(full), "@SUITE@", source.suite)});
    } else {
      throw failed("'{}' is neither a file nor a directory", full);
    }
  }
}

std::string hash_inputs(const RootSource& source, std::string_view recipe_text) {
  archive::Sha256 sum;
  // Lengths keep the fields apart.
  auto put = [&](std::string_view field) {
    sum.update(fmt::format("{}:", field.size())), sum.update(field);
  };
  put(fmt::format("root {}", root_form));
  put(source.suite);
  put(source.variant);
  put(recipe_text);
  put(source.packages);
  for (const RootFile& file : source.files) {
    put(file.path);
    put(fmt::format("{:o}", file.mode));
    put(file.content);
  }
  return sum.hex();
}

// Of its own, or the one of the default guest.
std::string package_list(const std::string& runtime, const std::string& variant) {
  std::string own = runtime + "/root/" + variant + "/packages";
  return sys::exists(own) ? own : runtime + "/packages";
}

} // namespace

bool Recipe::drops(std::string_view path) const {
  for (size_t end = 0; end != path.npos;) {
    end = path.find('/', end + 1);
    std::string head(path.substr(0, end));
    for (const std::string& glob : drop)
      if (fnmatch(glob.c_str(), head.c_str(), FNM_PATHNAME) == 0) return true;
  }
  return false;
}

Recipe parse_recipe(std::string_view text, std::string_view path) {
  Recipe recipe;
  int number = 0;
  for (const std::string& line : split(text, '\n')) {
    number++;
    if (trim(line).empty() || trim(line).front() == '#') continue;
    std::vector<std::string> words;
    for (std::string& word : split(trim(line), ' '))
      if (!word.empty()) words.push_back(std::move(word));
    try {
      parse_step(recipe, words);
    } catch (const Error& e) {
      throw failed("'{}', line {}: {}", path, number, e.message());
    }
  }
  if (recipe.size == 0) throw failed("'{}' says no size", path);
  return recipe;
}

std::vector<std::string> parse_packages(std::string_view text, std::string_view path) {
  std::vector<std::string> names;
  for (const std::string& line : split(text, '\n')) {
    std::string_view name = trim(std::string_view(line).substr(0, line.find('#')));
    if (name.empty()) continue;
    // Debian policy 5.6.7; apt would take more ("-option", "name=version", "/file") for its own.
    if (name.size() < 2 ||
        !((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9')) ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") != name.npos)
      throw failed("'{}' is no package name", name).within(fmt::format("cannot use '{}'", path));
    names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> list_variants(const std::string& runtime) {
  std::vector<std::string> variants;
  for (const std::string& name : sys::list_dir(runtime + "/root"))
    if (sys::exists(runtime + "/root/" + name + "/recipe")) variants.push_back(name);
  return variants;
}

std::optional<std::string> find_packages(const std::string& runtime, const std::string& variant) {
  if (!sys::exists(runtime + "/root/" + variant + "/recipe")) return {};
  return sys::find_content(package_list(runtime, variant));
}

RootSource load_root_source(const std::string& runtime, const std::string& variant,
                            const std::string& suite) {
  std::vector<std::string> variants = list_variants(runtime);
  if (variants.empty()) throw preflight("there is no recipe in '{}'", runtime + "/root");
  if (std::ranges::find(variants, variant) == variants.end())
    throw usage("unknown variant '{}'", variant)
        .subject(variant)
        .hint(fmt::format("one of: {}", join(variants, ", ")));
  RootSource source{.variant = variant,
                    .suite = suite,
                    .recipe = {},
                    .packages = {},
                    .package_names = {},
                    .files = {},
                    .inputs = {}};
  std::string dir = runtime + "/root/" + variant;
  std::string text = sys::read_file(dir + "/recipe");
  source.recipe = parse_recipe(text, dir + "/recipe");
  std::string list = package_list(runtime, variant);
  source.packages = sys::read_file(list);
  source.package_names = parse_packages(source.packages, list);
  read_files(dir + "/files", "", source);
  source.inputs = hash_inputs(source, text);
  return source;
}

namespace {
constexpr std::string_view merged_dirs[] = {"bin", "lib", "lib32", "lib64", "libx32", "sbin"};
}

std::string merged_usr(std::string_view path) {
  std::string_view head = path.substr(0, path.find('/'));
  bool merged = std::ranges::find(merged_dirs, head) != std::end(merged_dirs);
  return merged ? fmt::format("usr/{}", path) : std::string(path);
}

const std::vector<std::pair<std::string, std::string>>& merged_usr_links() {
  static const std::vector<std::pair<std::string, std::string>> links = {
      {"bin", "usr/bin"}, {"lib", "usr/lib"}, {"lib64", "usr/lib64"}, {"sbin", "usr/sbin"}};
  return links;
}

} // namespace banger::bundle
