#include "bundle/kernel.h"

#include <cstring>
#include <elf.h>

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger::bundle {
namespace {

template <typename T>
void put(std::string& data, size_t offset, T value) {
  if (data.size() < offset + sizeof value) data.resize(offset + sizeof value);
  std::memcpy(data.data() + offset, &value, sizeof value);
}

// A bzImage with 3 setup sectors and the payload 16 bytes into the code.
std::string bzimage(const std::string& payload) {
  std::string image((3 + 1) * 512 + 16, '\0');
  put<uint8_t>(image, 0x1f1, 3);
  std::memcpy(image.data() + 0x202, "HdrS", 4);
  put<uint16_t>(image, 0x206, 0x20f);
  put<uint32_t>(image, 0x248, 16);
  put<uint32_t>(image, 0x24c, static_cast<uint32_t>(payload.size()));
  return image + payload + "what follows";
}

// lz4's legacy frame with one block of literals, and the kernel's size after it.
std::string lz4_legacy(const std::string& data) {
  std::string block = "\xf0";
  size_t left = data.size() - 15;
  for (; left >= 255; left -= 255) block += '\xff';
  block += static_cast<char>(left);
  block += data;
  std::string frame;
  put<uint32_t>(frame, 0, 0x184C2102);
  put<uint32_t>(frame, 4, static_cast<uint32_t>(block.size()));
  frame += block;
  put<uint32_t>(frame, frame.size(), static_cast<uint32_t>(data.size()));
  return frame;
}

std::string elf_of_size(size_t size) {
  std::string elf = ELFMAG;
  for (size_t i = 4; i < size; i++) elf += static_cast<char>(i * 7);
  return elf;
}

TEST(KernelElf, FromAnLz4Payload) {
  std::string elf = elf_of_size(3000);
  EXPECT_TRUE(kernel_elf(bzimage(lz4_legacy(elf))) == elf);
}

TEST(KernelElf, OtherFilesAreRefused) {
  EXPECT_THROW(kernel_elf(""), Error);
  EXPECT_THROW(kernel_elf(std::string(100'000, '\0')), Error);
  EXPECT_THROW(kernel_elf(elf_of_size(5000)), Error);
  EXPECT_THROW(kernel_elf(bzimage("")), Error);
  EXPECT_THROW(kernel_elf(bzimage("short")), Error);
  EXPECT_THROW(kernel_elf(bzimage(lz4_legacy(std::string(100, 'x')))), Error) << "no ELF";
  std::string cut = bzimage(lz4_legacy(elf_of_size(3000)));
  cut.resize(cut.size() - 1000);
  EXPECT_THROW(kernel_elf(cut), Error);
  std::string lying = lz4_legacy(elf_of_size(3000));
  put<uint32_t>(lying, lying.size() - 4, 2999);
  EXPECT_THROW(kernel_elf(bzimage(lying)), Error) << "another size than it says";
}

// A module as far as its .modinfo.
std::string module(const std::string& modinfo) {
  std::string names("\0.modinfo\0.shstrtab\0", 20);
  std::string elf(sizeof(Elf64_Ehdr), '\0');
  size_t info_at = elf.size();
  elf += modinfo;
  size_t names_at = elf.size();
  elf += names;
  size_t sections_at = elf.size();
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shoff = sections_at;
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  put(elf, 0, header);
  Elf64_Shdr none{}, info{}, strings{};
  info.sh_name = 1;
  info.sh_offset = info_at;
  info.sh_size = modinfo.size();
  strings.sh_name = 10;
  strings.sh_offset = names_at;
  strings.sh_size = names.size();
  put(elf, sections_at, none);
  put(elf, sections_at + sizeof none, info);
  put(elf, sections_at + 2 * sizeof none, strings);
  return elf;
}
std::string depends(const std::string& list) {
  std::string info = "license=GPL";
  info += '\0';
  info += "depends=" + list;
  info += '\0';
  return module(info);
}

TEST(KernelModules, Depends) {
  EXPECT_EQ(module_depends(depends("virtio,virtio_ring"), "m"),
            (std::vector<std::string>{"virtio", "virtio_ring"}));
  EXPECT_EQ(module_depends(depends(""), "m"), std::vector<std::string>{});
  EXPECT_EQ(module_depends(module("license=GPL"), "m"), std::vector<std::string>{});
  EXPECT_THROW(module_depends("", "m"), Error);
  EXPECT_THROW(module_depends(std::string(1000, 'x'), "m"), Error);
  // Offsets that lead out of the file.
  std::string broken = depends("a");
  for (size_t at : {offsetof(Elf64_Ehdr, e_shoff), offsetof(Elf64_Ehdr, e_shoff) + 7}) {
    std::string bad = broken;
    bad[at] = '\x7f';
    try {
      EXPECT_EQ(module_depends(bad, "m"), std::vector<std::string>{});
    } catch (const Error&) {
    }
  }
  broken.resize(sizeof(Elf64_Ehdr));
  EXPECT_THROW(module_depends(broken, "m"), Error);
}

TEST(KernelModules, Names) {
  EXPECT_EQ(module_name("lib/modules/6/kernel/drivers/char/hw_random/virtio-rng.ko"), "virtio_rng");
  EXPECT_EQ(module_name("net/core/failover.ko.xz"), "failover");
  EXPECT_EQ(module_name("a.ko.zst"), "a");
  EXPECT_EQ(module_name("lib/modules/6/modules.order"), "");
  EXPECT_EQ(module_name("x.korn"), "");
  EXPECT_EQ(module_name(".ko"), "");
}

TEST(KernelModules, List) {
  EXPECT_EQ(parse_modules("# text\n\na always\n b  virtio:19 \nc overlay\n", "list"),
            (std::vector<WantedModule>{{"a", "always"}, {"b", "virtio:19"}, {"c", "overlay"}}));
  for (const char* bad : {"a", "a sometimes", "a virtio:", "a virtio:x", "a always twice"}) try {
      parse_modules(std::string("x always\n") + bad, "list");
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("'list', line 2"), std::string::npos) << e.message();
    }
}

TEST(KernelModules, ClosureInOrder) {
  Modules all{{"virtio_ring", depends("")},
              {"virtio", depends("virtio_ring")},
              {"virtio_net", depends("net-failover,virtio_ring,virtio")},
              {"net_failover", depends("failover")},
              {"failover", depends("")},
              {"vsock", depends("circle")},
              {"circle", depends("vsock")}};
  auto find = [&](const std::string& name) {
    auto it = all.find(name);
    return it == all.end() ? nullptr : &it->second;
  };
  EXPECT_EQ(module_closure(find, {{"virtio", "always"}, {"virtio_net", "virtio:1"}}),
            (std::vector<WantedModule>{{"virtio_ring", "always"},
                                       {"virtio", "always"},
                                       {"failover", "virtio:1"},
                                       {"net_failover", "virtio:1"},
                                       {"virtio_net", "virtio:1"}}));
  EXPECT_EQ(module_closure(find, {{"vsock", "always"}}).size(), 2u) << "a circle ends";
  try {
    all.erase("failover");
    module_closure(find, {{"virtio_net", "always"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("'failover'"), std::string::npos);
  }
}

TEST(Initrd, EndsOnFourBytesWhateverIsInIt) {
  for (size_t size = 1000; size < 1004; size++) {
    std::string init(size, 'i');
    std::string initrd = make_initrd(init, {{"m", "M"}}, {{"m", "always"}});
    EXPECT_EQ(initrd.size() % 4, 0u);
    EXPECT_TRUE(initrd.starts_with("070701"));
    EXPECT_NE(initrd.find(init), initrd.npos);
    EXPECT_NE(initrd.find("/banger/ko/m.ko always\n"), initrd.npos);
  }
}

} // namespace
} // namespace banger::bundle
