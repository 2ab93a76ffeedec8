#include "ops/image/import.h"
#include "banger-image/verbs.h"
#include "cli/kinds.h"
#include "common/work.h"

namespace banger::tool {

namespace {

struct Import : cli::Verb {
  std::string name, source;
  ops::ImportOptions options;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--size",
                     .value = "SIZE",
                     .help = "size of the file system; what does not fit is refused",
                     .fallback = "the source's, or what its content takes and some room",
                     .target = {cli::kinds::disk, &options.size}},
                    {.flags = "--partition",
                     .value = "N",
                     .help = "partition of a disk that has the root",
                     .fallback = "the largest of Linux's",
                     .target = {cli::Number{1, 1024}, &options.partition}}};
    spec.operands = {
        {.name = "NAME", .help = "name of the new image", .target = &name},
        {.name = "SOURCE",
         .help = "disk, ext4 file, tarball (packed or not; - is standard input) or directory",
         .complete = cli::Complete::files,
         .target = &source}};
  }

  int run(cli::App& app) override {
    valid_name("image name", name);
    Work work(app);
    return work.for_each(app, "import", {name}, [&](const std::string& n) {
      ops::import_image(work.ctx, n, source, options);
      return std::string("ready");
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_import() { return std::make_unique<Import>(); }

} // namespace banger::tool
