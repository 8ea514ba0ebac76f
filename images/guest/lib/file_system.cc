#include "lib/file_system.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "lib/disk_image.h"
#include "lib/fuse_server.h"
#include "lib/page_file.h"

namespace luf::guest {

namespace {

/// Makes a directory to mount on. An earlier phase may have mounted there: the other result says so.
struct MountPoint {
  std::string path;
  bool mounted;
};

MountPoint make_mount_point(PartContext& context, const std::string& fs) {
  const std::string at = "/tmp/" + fs + "." + context.id();
  if (mkdir(at.c_str(), 0700) != 0 && errno != EEXIST)
    context.fail("mkdir %s: %s", at.c_str(), std::strerror(errno));
  struct stat here = {};
  struct stat above = {};
  const bool mounted =
      stat(at.c_str(), &here) == 0 && stat("/tmp", &above) == 0 && here.st_dev != above.st_dev;
  return {at, mounted};
}

/// On a RAM disk that only this part uses.
std::string mount_disk(PartContext& context, const std::string& fs) {
  const MountPoint point = make_mount_point(context, fs);
  if (point.mounted) return point.path;
  const std::string disk = spare_disk(context);
  const std::string problem = write_disk_image(fs, disk);
  if (!problem.empty()) context.fail("%s", problem.c_str());
  if (mount(disk.c_str(), point.path.c_str(), fs.c_str(), MS_NOATIME, nullptr) != 0)
    context.fail("mount %s as %s: %s", disk.c_str(), fs.c_str(), std::strerror(errno));
  return point.path;
}

/// An overlay of its own for each part: two that share an upper directory are undefined.
std::string mount_overlay(PartContext& context) {
  const std::string under = "/mnt/overlay." + context.id();
  const MountPoint point = make_mount_point(context, "overlay");
  if (point.mounted) return point.path;
  for (const std::string& directory : {under, under + "/lower", under + "/upper", under + "/work"}) {
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      context.fail("mkdir %s: %s", directory.c_str(), std::strerror(errno));
  }
  const std::string options =
      "lowerdir=" + under + "/lower,upperdir=" + under + "/upper,workdir=" + under + "/work";
  if (mount("overlay", point.path.c_str(), "overlay", 0, options.c_str()) != 0)
    context.fail("mount overlayfs: %s", std::strerror(errno));
  return point.path;
}

}  // namespace

std::string part_path(PartContext& context) {
  const std::string fs = context.choice("fs");
  std::string directory = "/mnt";
  if (fs == "tmpfs") directory = "/tmp";
  if (fs == "overlay") directory = mount_overlay(context);
  if (fs == "btrfs" || fs == "xfs") directory = mount_disk(context, fs);
  if (fs.starts_with("fuse")) directory = FuseServer(context, fs == "fuse_writeback").directory();
  return directory + "/" + context.id();
}

}  // namespace luf::guest
