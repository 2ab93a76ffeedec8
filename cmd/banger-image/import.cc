#include "ops/image/import.h"
#include "banger-image/verbs.h"
#include "common/work.h"
#include "core/units.h"

namespace banger::image_tool {

namespace {

struct Import : cli::Verb {
  std::string name, source;
  std::optional<std::string> size, partition;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {{"--size",
                     "SIZE",
                     "size of the file system; what does not fit is refused",
                     "the source's, or what its content takes and some room",
                     Complete::nothing,
                     {},
                     &size},
                    {"--partition",
                     "N",
                     "partition of a disk that has the root",
                     "the largest of Linux's",
                     Complete::nothing,
                     {},
                     &partition}};
    spec.operands = {{"NAME", "name of the new image", true, Complete::nothing, &name},
                     {"SOURCE",
                      "ext4 file, disk, tarball (- reads it from standard input) or directory",
                      true, Complete::files, &source}};
  }

  int run(cli::App& app) override {
    ops::ImportOptions options;
    if (size) options.size = parse_size("image size", *size, int64_t{1} << 44);
    if (partition)
      options.partition = static_cast<int>(parse_number("partition", *partition, 1, 1024));
    valid_name("image name", name);
    cmd::Work work(app);
    return app.for_each("import", {name}, [&](const std::string& n) {
      ops::import_image(work.ctx, n, source, options);
      return std::string("ready");
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_import() { return std::make_unique<Import>(); }

} // namespace banger::image_tool
