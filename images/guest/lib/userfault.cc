#include "lib/userfault.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace luf::guest {

namespace {

uffdio_range as_range(const char* at, std::uint64_t length) {
  return {reinterpret_cast<std::uint64_t>(at), length};
}

}  // namespace

std::uint64_t userfault_features() {
  const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{UFFD_API, 0, 0};
  const bool told = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0;
  close(fd);
  return told ? api.features : 0;
}

int open_userfaultfd(PartContext& context, std::uint64_t features) {
  const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{UFFD_API, features, 0};
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) context.fail("userfaultfd: %s", std::strerror(errno));
  return fd;
}

void register_userfault(PartContext& context, int fd, char* at, std::uint64_t length, std::uint64_t mode) {
  uffdio_register request{as_range(at, length), mode, 0};
  if (ioctl(fd, UFFDIO_REGISTER, &request) != 0) context.fail("UFFDIO_REGISTER: %s", std::strerror(errno));
}

void write_protect(PartContext& context, int fd, char* at, std::uint64_t length, bool on) {
  uffdio_writeprotect request{as_range(at, length), on ? UFFDIO_WRITEPROTECT_MODE_WP : 0U};
  if (ioctl(fd, UFFDIO_WRITEPROTECT, &request) != 0)
    context.fail("UFFDIO_WRITEPROTECT: %s", std::strerror(errno));
}

}  // namespace luf::guest
