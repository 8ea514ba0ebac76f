#include "initramfs.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "cpio_archive.h"
#include "disk_extents.h"
#include "modules.h"

namespace luf::initramfs {

std::string build_base(std::string_view init, const std::vector<Disk>& disks) {
  CpioArchive archive;
  for (const char* directory : {"dev", "proc", "sys", "tmp", "mnt", "disk"}) archive.add_directory(directory);
  archive.add_character_device("dev/console", 0600, 5, 1);
  archive.add_character_device("dev/ttyS1", 0600, 4, 65);
  for (const Disk& disk : disks) {
    const std::string at = "disk/" + disk.name;
    archive.add_directory(at);
    for (const Extent& extent : find_extents(disk.image))
      archive.add_file(fmt::format("{}/{:08x}", at, extent.offset), 0644, extent.data);
    archive.add_file(at + "_size", 0644, fmt::format("{}\n", disk.image.size()));
  }
  archive.add_file("init", 0755, init);
  return std::move(archive).finish();
}

std::string build_bare(std::string_view init) {
  CpioArchive archive;
  archive.add_directory("dev");
  archive.add_character_device("dev/console", 0600, 5, 1);
  archive.add_file("init", 0755, init);
  return std::move(archive).finish();
}

Result<std::string> build_modules(const std::string& directory, const std::vector<std::string>& wanted) {
  const auto index = read_module_index(directory);
  if (!index) return tl::unexpected(index.error());
  const auto files = module_closure(*index, wanted);
  if (!files) return tl::unexpected(files.error());
  CpioArchive archive;
  archive.add_directory("modules");
  std::string order;
  for (const std::string& file : *files) {
    // The kernel's own depmod writes relative paths; some distributions write absolute ones.
    const auto data = read_module(file.starts_with('/') ? file : fmt::format("{}/{}", directory, file));
    if (!data) return tl::unexpected(data.error());
    const std::string name = module_name(file) + ".ko";
    archive.add_file("modules/" + name, 0644, *data);
    order += name + "\n";
  }
  archive.add_file("modules/order", 0644, order);
  return std::move(archive).finish();
}

Result<std::string> build_tree(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::set<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory, error))
    paths.insert(entry.path());
  if (error) return tl::unexpected(fmt::format("cannot list {}: {}", directory, error.message()));
  CpioArchive archive;
  for (const fs::path& path : paths) {
    const std::string name = fs::relative(path, directory).string();
    if (fs::is_directory(path)) {
      archive.add_directory(name);
      continue;
    }
    const auto data = read_file(path);
    if (!data) return tl::unexpected(data.error());
    const bool runs = (fs::status(path).permissions() & fs::perms::owner_exec) != fs::perms::none;
    archive.add_file(name, runs ? 0755 : 0644, *data);
  }
  return std::move(archive).finish();
}

}  // namespace luf::initramfs
