#include "bundle/kernel.h"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "archive/cpio.h"
#include "archive/unpack.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::bundle {

namespace {

// A value at an offset, where the buffer holds it.
template <typename T>
std::optional<T> value_at(std::string_view data, uint64_t offset) {
  if (offset > data.size() || data.size() - offset < sizeof(T)) return {};
  T value;
  std::memcpy(&value, data.data() + offset, sizeof value);
  return value;
}

std::string_view slice(std::string_view data, uint64_t offset, uint64_t size) {
  if (offset > data.size() || size > data.size() - offset) return {};
  return data.substr(offset, size);
}

} // namespace

std::string kernel_elf(std::string_view bzimage) {
  auto sectors = value_at<uint8_t>(bzimage, 0x1f1);
  auto magic = value_at<uint32_t>(bzimage, 0x202);
  auto version = value_at<uint16_t>(bzimage, 0x206);
  auto offset = value_at<uint32_t>(bzimage, 0x248), length = value_at<uint32_t>(bzimage, 0x24c);
  if (!length || *magic != 0x53726448 /* "HdrS" */ || *version < 0x208)
    throw failed("the kernel is no bzImage with a payload");
  uint64_t code = (uint64_t{*sectors ? *sectors : 4u} + 1) * 512;
  std::string_view payload = slice(bzimage, code + *offset, *length);
  // All but gzip, which has it anyway, are followed by the unpacked size.
  bool gzip = payload.starts_with("\x1f\x8b");
  auto size = value_at<uint32_t>(payload, payload.size() < 4 ? 0 : payload.size() - 4);
  if (!size) throw failed("the kernel's payload is cut off");
  if (!gzip) payload.remove_suffix(4);
  std::string elf = archive::unpack(payload, "the kernel's payload");
  if (elf.size() != *size || !elf.starts_with(ELFMAG))
    throw failed("the kernel's payload is no ELF of the size that it should have");
  return elf;
}

std::vector<std::string> module_depends(std::string_view module, std::string_view name) {
  auto header = value_at<Elf64_Ehdr>(module, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
    throw failed("kernel module '{}' is no 64-bit ELF", name);
  auto section = [&](uint64_t index) {
    return value_at<Elf64_Shdr>(module, header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  auto names = section(header->e_shstrndx);
  for (uint64_t i = 0; names && i < header->e_shnum; i++) {
    auto s = section(i);
    if (!s) break;
    std::string_view title = slice(module, names->sh_offset, names->sh_size);
    if (s->sh_name >= title.size()) continue;
    title.remove_prefix(s->sh_name);
    if (title.substr(0, title.find('\0')) != ".modinfo") continue;
    for (const std::string& line : split(slice(module, s->sh_offset, s->sh_size), '\0')) {
      constexpr std::string_view key = "depends=";
      if (!line.starts_with(key)) continue;
      std::vector<std::string> depends;
      for (std::string& d : split(line.substr(key.size()), ','))
        if (!d.empty()) depends.push_back(std::move(d));
      return depends;
    }
    return {};
  }
  throw failed("kernel module '{}' has no .modinfo", name);
}

std::vector<WantedModule> parse_modules(std::string_view text, std::string_view path) {
  std::vector<WantedModule> wanted;
  int number = 0;
  for (const std::string& line : split(text, '\n')) {
    number++;
    std::string_view rest = trim(line);
    if (rest.empty() || rest.front() == '#') continue;
    size_t space = rest.find(' ');
    std::string when(space == rest.npos ? "" : trim(rest.substr(space)));
    bool known = when == "always" || when == "overlay" ||
                 (when.starts_with("virtio:") && when.size() > 7 &&
                  when.find_first_not_of("0123456789", 7) == when.npos);
    if (!known)
      throw failed("'{}', line {}: expected 'MODULE always', 'virtio:N' or 'overlay'", path,
                   number);
    wanted.push_back({std::string(rest.substr(0, space)), when});
  }
  return wanted;
}

std::string module_name(std::string_view path) {
  std::string_view file = path.substr(path.rfind('/') + 1);
  size_t end = file.find(".ko");
  if (end == file.npos || end == 0) return {};
  std::string_view suffix = file.substr(end + 3);
  if (suffix != "" && suffix != ".xz" && suffix != ".zst" && suffix != ".gz") return {};
  std::string name(file.substr(0, end));
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

std::vector<WantedModule> module_closure(const FindModule& find,
                                         const std::vector<WantedModule>& wanted) {
  std::vector<WantedModule> order;
  std::set<std::string> seen; // before its dependencies, so that a circle ends
  auto add = [&](auto& self, const std::string& name, const std::string& when) -> void {
    if (!seen.insert(name).second) return;
    const std::string* content = find(name);
    if (!content) throw failed("the kernel has no module '{}'", name);
    for (std::string& d : module_depends(*content, name)) {
      for (char& c : d)
        if (c == '-') c = '_';
      self(self, d, when);
    }
    order.push_back({name, when});
  };
  for (const WantedModule& w : wanted) add(add, w.name, w.when);
  return order;
}

std::string make_initrd(const std::string& init, const Modules& modules,
                        const std::vector<WantedModule>& closure) {
  std::string list;
  std::vector<archive::CpioEntry> entries{{"init", S_IFREG | 0755, init}};
  for (const WantedModule& m : closure) {
    list += fmt::format("/banger/ko/{}.ko {}\n", m.name, m.when);
    entries.push_back({fmt::format("banger/ko/{}.ko", m.name), S_IFREG | 0644, modules.at(m.name)});
  }
  entries.push_back({"banger/modules", S_IFREG | 0644, list});
  return archive::cpio_archive(entries);
}

} // namespace banger::bundle
