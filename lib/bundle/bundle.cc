#include "bundle/bundle.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "archive/sha256.h"
#include "core/error.h"
#include "sys/file.h"

namespace banger::bundle {

namespace {

constexpr int json_version = 1;
constexpr std::string_view build_hint = "banger bundle build";

std::string build_command(std::string_view part) {
  constexpr std::string_view root = "root-";
  if (part.starts_with(root))
    return fmt::format("{} --variant {}", build_hint, part.substr(root.size()));
  return std::string(build_hint);
}

// A file name from bundle.json is joined to the directory: it must not lead out of it.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Part part_from(const nlohmann::json& json) {
  Part part{.name = json.at("name"),
            .file = json.at("file"),
            .size = json.at("size"),
            .sha256 = json.at("sha256"),
            .suite = json.at("suite"),
            .inputs = json.at("inputs")};
  if (!is_plain_file_name(part.file)) throw failed("part '{}' has no plain file name", part.name);
  if (!is_sha256(part.sha256)) throw failed("part '{}' has no sha256", part.name);
  if (part.size <= 0) throw failed("part '{}' has no size", part.name);
  return part;
}

} // namespace

const Part* Bundle::find_part(std::string_view part) const {
  auto it = std::ranges::find(parts, part, &Part::name);
  return it == parts.end() ? nullptr : &*it;
}

const Part& Bundle::get_part(std::string_view part) const {
  if (const Part* found = find_part(part)) return *found;
  throw preflight("the bundle in '{}' has no part '{}'", path, part).hint(build_command(part));
}

const Root* Bundle::find_root(std::string_view variant) const {
  auto it = std::ranges::find(roots, variant, &Root::variant);
  return it == roots.end() ? nullptr : &*it;
}

const Part& Bundle::root_part(std::string_view variant) const {
  return get_part(fmt::format("root-{}", variant));
}

std::string Bundle::default_variant() const {
  if (roots.empty()) return {};
  return find_root("debian") ? "debian" : roots.front().variant;
}

nlohmann::ordered_json to_json(const Bundle& bundle) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const Part& p : bundle.parts)
    parts.push_back({{"name", p.name},
                     {"file", p.file},
                     {"size", p.size},
                     {"sha256", p.sha256},
                     {"suite", p.suite},
                     {"inputs", p.inputs}});
  nlohmann::ordered_json roots = nlohmann::ordered_json::array();
  for (const Root& r : bundle.roots)
    roots.push_back({{"variant", r.variant},
                     {"packages_hash", r.packages_hash},
                     {"packages", r.packages},
                     {"installed", r.installed}});
  return {{"kind", "bundle"},
          {"v", json_version},
          {"name", bundle.name},
          {"suite", bundle.suite},
          {"arch", bundle.arch},
          {"variant", bundle.default_variant()},
          {"kernel_release", bundle.kernel_release},
          {"parts", parts},
          {"roots", roots}};
}

Bundle bundle_of(const nlohmann::json& json, const std::string& dir) {
  if (json.at("kind") != "bundle") throw failed("its kind is not 'bundle'");
  if (int v = json.at("v"); v > json_version)
    throw conflict("it was written by a newer banger (version {} of its form, this build knows {})",
                   v, json_version);
  Bundle bundle;
  bundle.path = dir;
  bundle.name = json.at("name");
  bundle.suite = json.at("suite");
  bundle.arch = json.at("arch");
  bundle.kernel_release = json.at("kernel_release");
  for (const auto& part : json.at("parts")) bundle.parts.push_back(part_from(part));
  for (const auto& root : json.at("roots"))
    bundle.roots.push_back({.variant = root.at("variant"),
                            .packages_hash = root.at("packages_hash"),
                            .packages = root.at("packages"),
                            .installed = root.at("installed").get<std::vector<std::string>>()});
  return bundle;
}

std::optional<Bundle> find_bundle(const std::string& dir) {
  std::string path = std::filesystem::absolute(dir).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::string file = path + "/bundle.json";
  auto text = sys::find_content(file);
  if (!text) return {};
  constexpr std::string_view rebuild = "banger bundle build --force";
  try {
    return bundle_of(nlohmann::json::parse(*text), path);
  } catch (const nlohmann::json::exception&) {
    throw failed("'{}' is not a bundle's description", file).hint(std::string(rebuild));
  } catch (Error& e) {
    e.within(fmt::format("cannot use '{}'", file)).default_hint(rebuild);
    throw;
  }
}

Bundle load_bundle(const std::string& dir) {
  if (auto bundle = find_bundle(dir)) return *std::move(bundle);
  throw preflight("there is no runtime bundle in '{}'", dir).hint(std::string(build_hint));
}

namespace {

sys::FileInfo require_info(const Bundle& bundle, const Part& part) {
  std::string path = bundle.file(part);
  auto info = sys::find_info(path);
  if (!info || !info->is_file)
    throw preflight("part '{}' of the bundle is missing: '{}'", part.name, path)
        .subject(part.name)
        .hint(build_command(part.name));
  if (info->size != part.size)
    throw failed("part '{}' of the bundle is corrupt: '{}' has {} bytes, not {}", part.name, path,
                 info->size, part.size)
        .subject(part.name)
        .hint(build_command(part.name));
  return *info;
}

} // namespace

std::string require_part(const Bundle& bundle, const Part& part) {
  require_info(bundle, part);
  return bundle.file(part);
}

void verify_part(const Bundle& bundle, const Part& part) {
  std::string path = require_part(bundle, part);
  if (archive::sha256_file(path) != part.sha256)
    throw failed("part '{}' of the bundle is corrupt: '{}' has another sha256", part.name, path)
        .subject(part.name)
        .hint(build_command(part.name) + " --force");
}

std::string part_identity(const Bundle& bundle, const Part& part) {
  sys::FileInfo info = require_info(bundle, part);
  return fmt::format("{}:{}:{}:{}:{}:{}", bundle.file(part), info.dev, info.ino, info.size,
                     info.mtime_ns, part.sha256);
}

} // namespace banger::bundle
