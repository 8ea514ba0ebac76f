// Workload: writes anonymous memory page by page, without end, with room for a tenth of it: the kernel reclaims dirty
// pages that are mapped writable, and puts them into compressed memory (zram). LUF defers none of this. A thread of
// the same address space runs on every CPU from 2 on, so that each flush must interrupt them. An operation is a page
// that was written.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "agent/kernel_files.h"
#include "lib/cost_meter.h"
#include "lib/page_pattern.h"
#include "lib/part_context.h"
#include "lib/swap_device.h"

namespace luf::guest {

namespace {

constexpr std::array<Param, 1> kParams{{
    {.name = "size",
     .type = ParamType::size,
     .default_number = 40U << 20U,
     .min = 10U << 20U,
     .max = 256U << 20U,
     .summary = "of the memory; the parts' cgroup may hold a tenth"},
}};

/// What mkswap(8) writes (union swap_header of the kernel).
void make_swap(PartContext& context, std::uint64_t bytes) {
  alignas(kPageSize) static char header[kPageSize];
  const std::uint32_t words[3] = {1, static_cast<std::uint32_t>(bytes / kPageSize - 1), 0};
  std::memcpy(header + 1024, words, sizeof(words));  // version, last page, bad pages
  std::memcpy(header + kPageSize - 10, "SWAPSPACE2", 10);
  const int fd = open(kSwapDevice, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || pwrite(fd, header, kPageSize, 0) != static_cast<ssize_t>(kPageSize))
    context.fail("write the swap header to %s: %s", kSwapDevice, std::strerror(errno));
  close(fd);
  if (swapon(kSwapDevice, 0) != 0) context.fail("swapon %s: %s", kSwapDevice, std::strerror(errno));
}

void must_write(PartContext& context, const char* path, const std::string& text) {
  const std::string problem = write_text(path, text);
  if (!problem.empty()) context.fail("%s", problem.c_str());
}

void run(PartContext& context) {
  const std::uint64_t size = context.number("size");
  CostMeter meter(context);
  must_write(context, "/sys/block/zram0/disksize", std::to_string(2 * size));
  make_swap(context, 2 * size);
  must_write(context, "/sys/fs/cgroup/lufbed/memory.max", std::to_string(size / 10));
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, size, MADV_NOHUGEPAGE);
  auto* bytes = static_cast<char*>(at);
  std::vector<std::thread> threads;
  for (unsigned cpu = 2; cpu < context.topology().cpus; ++cpu) {
    threads.emplace_back([&context, cpu] {
      if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
      while (!context.stopping()) __builtin_ia32_pause();
    });
  }
  if (!pin_to_cpu(1)) context.fail("pin to CPU 1: %s", std::strerror(errno));
  context.wait_for_start();
  for (std::uint64_t offset = 0; !context.stopping(); offset = (offset + kPageSize) % size)
    meter.measure(1, [&] { __atomic_add_fetch(bytes + offset, 1, __ATOMIC_RELAXED); });
  for (std::thread& thread : threads) thread.join();
  munmap(at, size);
  swapoff(kSwapDevice);
  write_text("/sys/fs/cgroup/lufbed/memory.max", "max");
}

}  // namespace

extern const Part anon_swap{
    .kind = PartKind::workload,
    .name = "anon_swap",
    .summary = "writes more anonymous memory than it may have, so that it is swapped to zram",
    .params = kParams,
    .run = run};

}  // namespace luf::guest
