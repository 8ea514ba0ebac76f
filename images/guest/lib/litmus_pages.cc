#include "lib/litmus_pages.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "lib/guarded_load.h"
#include "lib/lru.h"

namespace luf::guest {

namespace {

constexpr int kReclaimTries = 8;
constexpr std::string_view kReclaimAmount = "256K";

/// Room for pages, to be mapped over.
char* reserve(PartContext& context, std::size_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  return static_cast<char*>(at);
}

/// Without giving the CPU away.
void pause_us(std::uint64_t us) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto ns = [&now] { return now.tv_sec * 1'000'000'000LL + now.tv_nsec; };
  for (const auto end = ns() + static_cast<std::int64_t>(us) * 1000; ns() < end;) {
    __builtin_ia32_pause();
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
}

bool write_value(PartContext& context, int fd, std::size_t page, std::uint64_t value) {
  alignas(kPageSize) std::array<std::uint64_t, kPageSize / sizeof(std::uint64_t)> data;
  fill_page(data.data(), context.owner(), page, value + 1);
  return pwrite(fd, data.data(), kPageSize, 0) == static_cast<ssize_t>(kPageSize);
}

}  // namespace

std::string litmus_file(const PartContext& context, std::size_t page) {
  return "/mnt/" + context.id() + "." + protocol::kLitmusPages[page];
}

LitmusFiles::LitmusFiles(PartContext& context, std::size_t pages) : context_(context) {
  for (std::size_t page = 0; page < pages; ++page) {
    const std::string path = litmus_file(context, page);
    unlink(path.c_str());
    fds_.push_back(open_page_file(context, path, O_RDWR | O_CREAT));
  }
  reset(std::vector<bool>(pages, true));
  // Read again by the processors, so that they are charged for the pages.
  for (const int fd : fds_) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

void LitmusFiles::reset(const std::vector<bool>& changed) {
  for (std::size_t page = 0; page < fds_.size(); ++page) {
    if (!changed[page]) continue;
    if (!write_value(context_, fds_[page], page, 0) || fdatasync(fds_[page]) != 0)
      context_.fail("write page %zu: %s", page, std::strerror(errno));
  }
}

LitmusPages::LitmusPages(PartContext& context, std::size_t pages, LitmusMap map)
    : context_(context),
      pages_(pages),
      map_(map),
      view_(reserve(context, pages)),
      alias_(reserve(context, pages)),
      refuge_(reserve(context, pages)),
      reclaim_fd_(open("/sys/fs/cgroup/lufbed/memory.reclaim", O_WRONLY | O_CLOEXEC)),
      table_(context, view_, pages) {
  for (std::size_t page = 0; page < pages; ++page) {
    fds_.push_back(open_page_file(context, litmus_file(context, page), O_RDWR));
    map_view(page);
    must(mmap(alias(page), kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fds_[page], 0) ==
             alias(page),
         "map the writable alias");
  }
}

void LitmusPages::must(bool done, const char* what) {
  if (!done) context_.fail("%s: %s", what, std::strerror(errno));
}

void LitmusPages::map_view(std::size_t page) {
  const bool read_only = map_ == LitmusMap::shared;
  const int fd = open_page_file(context_, litmus_file(context_, page), read_only ? O_RDONLY : O_RDWR);
  char* at = view_ + page * kPageSize;
  const int protection = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  const int sharing = map_ == LitmusMap::own ? MAP_PRIVATE : MAP_SHARED;
  must(mmap(at, kPageSize, protection, sharing | MAP_FIXED, fd, 0) == at, "map a page");
  close(fd);
}

void LitmusPages::act(const protocol::LitmusStep& step) {
  char* at = view_ + step.page * kPageSize;
  switch (step.act) {
    case protocol::LitmusAct::store:
      return restamp_line(alias(step.page), context_.owner(), step.page, step.value + 1, 0);
    case protocol::LitmusAct::write:
      return must(write_value(context_, fds_[step.page], step.page, step.value), "write");
    case protocol::LitmusAct::copy:
      return restamp_line(at, context_.owner(), step.page, step.value + 1, 0);
    case protocol::LitmusAct::unmap:
      return must(munmap(at, kPageSize) == 0, "munmap");
    case protocol::LitmusAct::forbid:
      return must(mprotect(at, kPageSize, PROT_NONE) == 0, "mprotect");
    case protocol::LitmusAct::truncate:
      return must(ftruncate(fds_[step.page], 0) == 0, "ftruncate");
    case protocol::LitmusAct::drop:
      return must(madvise(at, kPageSize, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    case protocol::LitmusAct::move:
      return move(step.page);
    case protocol::LitmusAct::sync:
      return must(fdatasync(fds_[step.page]) == 0, "fdatasync");
    case protocol::LitmusAct::pause:
      return pause_us(step.value);
    default:
      return;
  }
}

void LitmusPages::undo(const protocol::LitmusStep& step) {
  if (step.act == protocol::LitmusAct::store) madvise(alias(step.page), kPageSize, MADV_DONTNEED);
  if (step.act == protocol::LitmusAct::move)
    must(mmap(refuge_ + step.page * kPageSize, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
              -1, 0) != MAP_FAILED,
         "unmap the moved page");
  if (step.act == protocol::LitmusAct::copy || step.act == protocol::LitmusAct::unmap ||
      step.act == protocol::LitmusAct::forbid || step.act == protocol::LitmusAct::move)
    map_view(step.page);
}

void LitmusPages::move(std::size_t page) {
  void* to = refuge_ + page * kPageSize;
  must(mremap(view_ + page * kPageSize, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
       "mremap");
}

bool LitmusPages::poke(std::size_t page, std::uint64_t value) {
  return guarded_restamp(view_ + page * kPageSize, context_.owner(), page, value + 1, 0);
}

Line LitmusPages::disk(std::size_t page) {
  alignas(kPageSize) std::array<char, kPageSize> data;
  const int fd = open_page_file(context_, litmus_file(context_, page), O_RDONLY | O_DIRECT);
  must(pread(fd, data.data(), data.size(), 0) == static_cast<ssize_t>(data.size()), "read of the disk");
  close(fd);
  Line line{};
  std::memcpy(&line, data.data(), sizeof(line));
  return line;
}

bool LitmusPages::migrate(std::size_t page) {
  void* at = view_ + page * kPageSize;
  int status = -1;
  if (syscall(SYS_move_pages, 0, 1UL, &at, nullptr, &status, 0) != 0 || status < 0) return false;
  const int node = static_cast<int>((static_cast<unsigned>(status) + 1) % context_.topology().nodes);
  // Pages that several processes map are moved as well (MPOL_MF_MOVE_ALL).
  return syscall(SYS_move_pages, 0, 1UL, &at, &node, &status, MPOL_MF_MOVE_ALL) == 0 && status == node;
}

bool LitmusPages::reclaim() {
  drain_new_pages();
  for (int tries = 0; tries < kReclaimTries; ++tries) {
    if (pwrite(reclaim_fd_, kReclaimAmount.data(), kReclaimAmount.size(), 0) < 0 && errno != EAGAIN)
      context_.fail("write to memory.reclaim: %s", std::strerror(errno));
    table_.refresh();
    bool gone = true;
    for (std::size_t page = 0; page < pages_; ++page) gone = gone && table_.absent(page, Absence::no_entry);
    if (gone) return true;
  }
  return false;
}

}  // namespace luf::guest
