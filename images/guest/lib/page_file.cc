#include "lib/page_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace luf::guest {

int open_page_file(PartContext& context, const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) context.fail("open %s: %s", path.c_str(), std::strerror(errno));
  return fd;
}

namespace {

std::string fill_page_file(PartContext& context, std::string path, std::uint64_t pages, PageFiller fill) {
  const int fd = open_page_file(context, path, O_RDWR | O_CREAT | O_TRUNC);
  alignas(kPageSize) static std::uint64_t page[kPageSize / sizeof(std::uint64_t)];
  for (std::uint64_t index = 0; index < pages; ++index) {
    fill(page, context.owner(), index, 1);
    if (pwrite(fd, page, kPageSize, static_cast<off_t>(index * kPageSize)) !=
        static_cast<ssize_t>(kPageSize)) {
      context.fail("write page %llu of %s: %s", static_cast<unsigned long long>(index), path.c_str(),
                   std::strerror(errno));
    }
  }
  if (fsync(fd) != 0) context.fail("fsync %s: %s", path.c_str(), std::strerror(errno));
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
  return path;
}

}  // namespace

std::string create_page_file(PartContext& context, std::uint64_t pages, std::string path, PageFiller fill) {
  if (path.empty()) path = "/mnt/" + context.id();
  unlink(path.c_str());  // a new inode: the kernel may remember what was done to the old one
  return fill_page_file(context, path, pages, fill);
}

std::string create_page_device(PartContext& context, std::uint64_t pages, PageFiller fill) {
  return fill_page_file(context, spare_disk(context), pages, fill);
}

std::string spare_disk(const PartContext& context) {
  return "/dev/ram" + std::to_string(1 + context.index());  // ram0 is /mnt
}

const Line* map_page_file(PartContext& context, const std::string& path, std::uint64_t pages,
                          int protection) {
  const int fd = open_page_file(context, path, O_RDONLY);
  void* at = mmap(nullptr, pages * kPageSize, protection, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap %s: %s", path.c_str(), std::strerror(errno));
  close(fd);
  madvise(at, pages * kPageSize, MADV_RANDOM);
  return static_cast<const Line*>(at);
}

}  // namespace luf::guest
