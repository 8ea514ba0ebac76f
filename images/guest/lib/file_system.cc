#include "lib/file_system.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "lib/fuse_server.h"

namespace luf::guest {

namespace {

/// An overlay of its own for each part: two that share an upper directory are undefined.
std::string mount_overlay(PartContext& context) {
  const std::string under = "/mnt/overlay." + context.id();
  const std::string at = "/tmp/overlay." + context.id();
  for (const std::string& directory : {under, under + "/lower", under + "/upper", under + "/work", at}) {
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      context.fail("mkdir %s: %s", directory.c_str(), std::strerror(errno));
  }
  struct stat here = {};
  struct stat above = {};
  if (stat(at.c_str(), &here) == 0 && stat("/tmp", &above) == 0 && here.st_dev != above.st_dev)
    return at;  // an earlier phase has mounted it
  const std::string options =
      "lowerdir=" + under + "/lower,upperdir=" + under + "/upper,workdir=" + under + "/work";
  if (mount("overlay", at.c_str(), "overlay", 0, options.c_str()) != 0)
    context.fail("mount overlayfs: %s", std::strerror(errno));
  return at;
}

}  // namespace

std::string part_path(PartContext& context) {
  const std::string fs = context.choice("fs");
  std::string directory = "/mnt";
  if (fs == "tmpfs") directory = "/tmp";
  if (fs == "overlay") directory = mount_overlay(context);
  if (fs.starts_with("fuse")) directory = FuseServer(context, fs == "fuse_writeback").directory();
  return directory + "/" + context.id();
}

}  // namespace luf::guest
