#include "run/pack.h"

#include <fmt/format.h>

#include <memory>

#include "cli/command.h"

namespace luf::cli {
namespace {

struct Options {
  std::string run;
  std::string output = "run.lufbed";
};

int execute(const Options& options) {
  const Result<void> packed = run::pack(options.run, options.output);
  if (!packed) return report_error(packed.error());
  fmt::print("{}\n", std::filesystem::absolute(options.output).string());
  return 0;
}

}  // namespace

void add_pack(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("pack", "Put a run directory into one file, for `lufbed repro` elsewhere");
  command->add_option("run", options->run, "The run directory")->required();
  command->add_option("--output", options->output, "The file")->capture_default_str();
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace luf::cli
