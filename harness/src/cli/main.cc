#include <fmt/format.h>

#include <exception>

#include "cli/command.h"

int main(int argc, char** argv) {
  try {
    CLI::App app("lufbed: runs scenarios in guest kernels and looks for stale TLB reads", "lufbed");
    app.require_subcommand(1);
    luf::cli::Action action;
    luf::cli::add_run(app, action);
    luf::cli::add_campaign(app, action);
    luf::cli::add_history(app, action);
    luf::cli::add_compare(app, action);
    luf::cli::add_merge(app, action);
    luf::cli::add_serve(app, action);
    luf::cli::add_metrics(app, action);
    luf::cli::add_explore(app, action);
    luf::cli::add_repro(app, action);
    luf::cli::add_minimise(app, action);
    luf::cli::add_bisect(app, action);
    luf::cli::add_pack(app, action);
    luf::cli::add_check(app, action);
    luf::cli::add_list(app, action);
    luf::cli::add_doctor(app, action);
    luf::cli::add_bench(app, action);
    luf::cli::add_matrix(app, action);
    luf::cli::add_kunit(app, action);
    luf::cli::add_kselftest(app, action);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : luf::cli::kExitUsage;
    }
    return action();
  } catch (const std::exception& error) {
    fmt::print(stderr, "lufbed: bug: {}\n", error.what());
    return luf::cli::kExitInfra;
  }
}
