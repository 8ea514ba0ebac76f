// luf-initramfs: writes the guest's initramfs, or adds a foreign kernel's modules or a tree of files to one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "initramfs.h"

namespace {

using luf::initramfs::Result;

constexpr int kUsage = 2;
constexpr int kFailure = 3;

struct Options {
  std::string init;
  std::vector<std::string> disks;
  std::string base;
  std::string modules;
  std::vector<std::string> want;
  std::string tree;
  std::string out;
};

Result<std::string> build(const Options& options) {
  if (!options.init.empty()) {
    const auto init = luf::initramfs::read_file(options.init);
    if (!init) return tl::unexpected(init.error());
    if (options.disks.empty()) return luf::initramfs::build_bare(*init);
    std::vector<luf::initramfs::Disk> disks;
    for (const std::string& path : options.disks) {
      const auto image = luf::initramfs::read_file(path);
      if (!image) return tl::unexpected(image.error());
      disks.push_back({std::filesystem::path(path).stem(), *image});
    }
    return luf::initramfs::build_base(*init, disks);
  }
  auto base = luf::initramfs::read_file(options.base);
  if (!base) return base;
  auto added = options.tree.empty() ? luf::initramfs::build_modules(options.modules, options.want)
                                    : luf::initramfs::build_tree(options.tree);
  if (!added) return added;
  return *base + *added;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Writes an initramfs (cpio, newc) without root. The same input gives the same bytes.\n"
      "  luf-initramfs --init luf-guest --disk ext4.img --out initramfs.cpio\n"
      "  luf-initramfs --base initramfs.cpio --modules lib/modules/RELEASE --want brd,ext4 --out "
      "with-modules.cpio\n"
      "  luf-initramfs --base initramfs.cpio --tree DIR --out with-tree.cpio\n"
      "Exit codes: 0 written, 2 wrong usage, 3 failure.");
  Options options;
  auto* init = app.add_option("--init", options.init, "static program that becomes /init");
  auto* disk = app.add_option("--disk", options.disks,
                              "image of a disk of the guest, NAME.img by its file system; only what is not "
                              "zero is stored. Without it: /init "
                              "and /dev/console only");
  auto* base = app.add_option("--base", options.base, "archive to which modules or a tree are added");
  auto* modules = app.add_option("--modules", options.modules, "directory with modules.dep");
  auto* want = app.add_option("--want", options.want,
                              "modules needed, with all they depend on; built-in ones are left out, and "
                              "those with a ? that are not there")
                   ->delimiter(',');
  auto* tree = app.add_option("--tree", options.tree, "directory whose files are added, at the guest's root");
  app.add_option("--out", options.out, "file to write")->required();
  init->excludes(base);
  disk->needs(init);
  modules->needs(base, want);
  want->needs(base, modules);
  tree->needs(base)->excludes(modules);
  try {
    app.parse(argc, argv);
    if (options.init.empty() && options.base.empty()) throw CLI::RequiredError("--init or --base");
    if (!options.base.empty() && options.modules.empty() && options.tree.empty())
      throw CLI::RequiredError("--modules or --tree");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "luf-initramfs: {}\n", error.what());
    return kUsage;
  }
  const auto archive = build(options);
  const auto written = archive ? luf::initramfs::write_file(options.out, *archive)
                               : Result<void>(tl::unexpected(archive.error()));
  if (!written) {
    fmt::print(stderr, "luf-initramfs: {}\n", written.error());
    return kFailure;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "luf-initramfs: bug: %s\n", error.what());
    return kFailure;
  }
}
