// Workload: one file, mapped read-only by a process of its own on every CPU but CPU 0, all of which walk it page by
// page without end. Every page is mapped by every reader, and every reader's CPU has its address space loaded all
// the time: what unmaps a page must interrupt them all. With `limit` the file does not fit and each walk makes the
// kernel reclaim what the last one brought in.
//
// The file is sparse, so that it costs no disk and no writing. Before the phase starts each reader has walked it once.
//
// Between two pages a reader executes PAUSE. Where time counts instructions this hands the turn to the next CPU, so
// that readers that find their pages cost nearly nothing, and the guest's time is that of the CPU that works.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/page_file.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 2> kParams{{
    {.name = "size",
     .type = ParamType::size,
     .default_number = 64U << 20U,
     .min = 1U << 20U,
     .max = 1U << 30U,
     .summary = "of the file"},
    {.name = "limit",
     .type = ParamType::size,
     .default_number = 0,
     .max = 1U << 30U,
     .summary = "memory.max of the parts' cgroup; 0: none"},
}};

std::string create_sparse_file(PartContext& context, std::uint64_t size) {
  std::string path = "/mnt/" + context.id();
  const int fd = open_page_file(context, path, O_RDWR | O_CREAT | O_TRUNC);
  if (ftruncate(fd, static_cast<off_t>(size)) != 0)
    context.fail("size %s: %s", path.c_str(), std::strerror(errno));
  close(fd);
  return path;
}

void read_forever(PartContext& context, const std::string& path, std::uint64_t size, bool is_target,
                  std::atomic<std::uint64_t>& walks) {
  const int fd = open_page_file(context, path, O_RDONLY);
  void* at = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) context.fail("mmap %s: %s", path.c_str(), std::strerror(errno));
  // One reader stands for all: who moves its pages moves them for everybody.
  if (is_target) context.add_target(getpid(), at, size);
  const auto* bytes = static_cast<const char*>(at);
  while (!context.stopping()) {
    for (std::uint64_t offset = 0; offset < size && !context.stopping(); offset += kPageSize) {
      __atomic_load_n(bytes + offset, __ATOMIC_RELAXED);
      __builtin_ia32_pause();
    }
    walks.fetch_add(1, std::memory_order_relaxed);
  }
}

void run(PartContext& context) {
  const std::uint64_t size = context.number("size");
  const std::uint64_t limit = context.number("limit");
  auto& walks = context.metric("walks");
  const std::string path = create_sparse_file(context, size);
  const std::string problem =
      write_text("/sys/fs/cgroup/lufbed/memory.max", limit == 0 ? "max" : std::to_string(limit));
  if (!problem.empty()) context.fail("limit the parts' memory: %s", problem.c_str());
  const unsigned readers = context.topology().cpus - 1;
  for (unsigned reader = 0; reader < readers; ++reader) {
    context.fork_pinned(reader + 1, [&, reader] { read_forever(context, path, size, reader == 0, walks); });
  }
  while (walks.load() < readers && !context.stopping()) sleep_ns(1'000'000);
  context.wait_for_start();
  context.supervise();
  write_text("/sys/fs/cgroup/lufbed/memory.max", "max");
}

}  // namespace

extern const Part shared_file{
    .kind = PartKind::workload,
    .name = "shared_file",
    .summary = "a process on every CPU but the first reads the same mapped file, page by page",
    .params = kParams,
    .needs_disk = true,
    .run = run};

}  // namespace luf::guest
