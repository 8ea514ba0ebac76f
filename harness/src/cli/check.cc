#include <fmt/format.h>

#include <memory>

#include "cli/command.h"

namespace luf::cli {
namespace {

int execute(const Locations& locations, const std::vector<std::string>& paths) {
  const Result<artifact::Image> image = artifact::image_in(locations.image());
  if (!image) return report_error(image.error());
  const Result<scenario::Catalog> catalog = load_catalog(*image);
  if (!catalog) return report_error(catalog.error());
  const Result<std::vector<run::Job>> jobs = load_jobs(paths, *catalog);
  if (!jobs) return report_error(jobs.error());
  fmt::print("{} scenarios are valid\n", jobs->size());
  return 0;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  struct Options {
    std::vector<std::string> paths;
    Locations locations;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Check scenarios without running them");
  command->add_option("paths", options->paths, "Scenario files, or folders of them")->required();
  options->locations.add_options(*command);
  command->callback(
      [options, &action] { action = [options] { return execute(options->locations, options->paths); }; });
}

}  // namespace luf::cli
