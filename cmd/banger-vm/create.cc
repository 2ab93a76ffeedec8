#include <algorithm>
#include <unordered_set>

#include "banger-vm/batch.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/verbs.h"
#include "ops/vm/create.h"

namespace banger::tool {

namespace {

// The lowest numbers that make a name of their own behind `prefix`: each call another one.
class Numbers {
public:
  Numbers(state::State& state, std::string prefix) : prefix_(std::move(prefix)) {
    for (std::string& name : state.vm_names()) taken_.insert(std::move(name));
  }
  std::string next() {
    std::lock_guard lock(mutex_);
    while (!taken_.insert(prefix_ + std::to_string(number_)).second) number_++;
    return prefix_ + std::to_string(number_);
  }

private:
  std::mutex mutex_; // of workers side by side
  std::string prefix_;
  std::unordered_set<std::string> taken_;
  int number_ = 1;
};

bool was_taken_meanwhile(const Error& e, ops::Context& ctx, const std::string& name) {
  return e.code() == Code::conflict && ctx.state.find_vm(name);
}

struct Create : cli::Verb {
  SpecOptions options;
  std::vector<std::string> names;
  std::optional<int> count;
  std::optional<size_t> jobs;
  bool atomic = false;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    spec.options.insert(
        spec.options.end(),
        {{.flags = "--count",
          .value = "N",
          .help = "make N of them: NAME with the next free numbers behind it",
          .target = {cli::Number{1, 1000}, &count}},
         {.flags = "--atomic", .help = "make all of them or none", .target = &atomic},
         jobs_option(jobs)});
    spec.operands = {{.name = "NAME",
                      .help = "name of the new VM; - reads names from standard input",
                      .target = &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    int number = count.value_or(0);
    if (number && wanted.size() != 1)
      throw usage("--count goes with one name").hint("banger vm create --count 3 web-");
    if (number) options.to_spec(wanted[0] + std::to_string(number), app.settings);
    if (wanted.size() > 1 || number > 1) options.require_for_several();
    // All good, or none made.
    for (const std::string& n : wanted)
      if (!number) options.to_spec(n, app.settings);
    Batch batch(app, options.dry_run ? state::Mode::read : state::Mode::write);
    std::optional<Numbers> numbers;
    if (number) {
      numbers.emplace(batch.ctx.state, wanted[0]);
      wanted.clear();
      while (wanted.size() < static_cast<size_t>(number)) wanted.push_back(numbers->next());
    }
    Numbers* more = numbers ? &*numbers : nullptr;
    if (atomic) return create_atomically(app, batch, wanted, more);
    return batch.on_each("create", wanted, jobs, [&](ops::Context& ctx, const std::string& name) {
      return create_one(app, ctx, name, more);
    });
  }

private:
  cli::Done create_one(cli::App& app, ops::Context& ctx, std::string name, Numbers* numbers) {
    for (;;) {
      VmSpec spec = options.to_spec(name, app.settings);
      try {
        if (options.dry_run)
          say_plan(ctx, ops::plan_create(ctx, spec));
        else
          ops::create_vm(ctx, spec);
        cli::Done done = created(options.dry_run);
        done.name = name;
        return done;
      } catch (const Error& e) {
        if (!numbers || !was_taken_meanwhile(e, ctx, name)) throw;
        name = numbers->next();
      }
    }
  }

  int create_atomically(cli::App& app, Batch& batch, std::vector<std::string> wanted,
                        Numbers* numbers) {
    for (;;) {
      std::vector<VmSpec> specs;
      for (const std::string& n : wanted) specs.push_back(options.to_spec(n, app.settings));
      try {
        if (options.dry_run)
          for (const VmSpec& spec : specs) say_plan(batch.ctx, ops::plan_create(batch.ctx, spec));
        else
          ops::create_vms(batch.ctx, specs);
        break;
      } catch (Error& e) {
        auto taken = std::find_if(wanted.begin(), wanted.end(), [&](const std::string& n) {
          return numbers && was_taken_meanwhile(e, batch.ctx, n);
        });
        if (taken == wanted.end()) throw;
        *taken = numbers->next();
      }
    }
    batch.progress.done();
    return app.for_each("create", wanted,
                        [&](const std::string&) { return created(options.dry_run); });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_create() { return std::make_unique<Create>(); }

} // namespace banger::tool
