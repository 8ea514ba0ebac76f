// Workload: maps memory, touches every page of it, unmaps it, without end, on CPU 1 (the agent has CPU 0). An operation
// is a page. With `threads` every other CPU runs a thread of the same address space, so that each munmap must
// interrupt all of them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "lib/cost_meter.h"
#include "lib/page_file.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kMemory{"anonymous", "file"};
constexpr std::array<std::string_view, 2> kThreads{"none", "everywhere"};
constexpr std::array<Param, 3> kParams{{
    {.name = "memory",
     .type = ParamType::choice,
     .default_choice = "anonymous",
     .choices = kMemory,
     .summary = "written anonymous pages, or pages of a cached file that are read"},
    {.name = "threads",
     .type = ParamType::choice,
     .default_choice = "none",
     .choices = kThreads,
     .summary = "threads of this address space on the CPUs from 2 on"},
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 64,
     .min = 1,
     .max = 4096,
     .summary = "mapped at once"},
}};

/// Where it is mapped: the start of a page table, in every guest. Elsewhere the kernel would need a fault or a table more
/// or less for the same pages, by the address it happens to choose.
void* const kPlace = reinterpret_cast<void*>(std::uintptr_t{1} << 44U);

int open_memory(PartContext& context, std::uint64_t pages) {
  if (context.choice("memory") == "anonymous") return -1;
  const std::string path = create_page_file(context, pages);
  const int fd = open_page_file(context, path, O_RDONLY);
  alignas(kPageSize) static char page[kPageSize];
  for (std::uint64_t i = 0; i < pages; ++i) {
    if (pread(fd, page, kPageSize, static_cast<off_t>(i * kPageSize)) < 0)
      context.fail("read %s: %s", path.c_str(), std::strerror(errno));
  }
  return fd;
}

void map_touch_unmap_once(PartContext& context, int fd, std::uint64_t pages) {
  const bool is_file = fd >= 0;
  void* at = mmap(kPlace, pages * kPageSize, is_file ? PROT_READ : PROT_READ | PROT_WRITE,
                  is_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
  if (at != kPlace) context.fail("mmap: %s", at == MAP_FAILED ? std::strerror(errno) : "another place");
  auto* bytes = static_cast<char*>(at);
  for (std::uint64_t page = 0; page < pages; ++page) {
    if (is_file) {
      __atomic_load_n(bytes + page * kPageSize, __ATOMIC_RELAXED);
    } else {
      __atomic_store_n(bytes + page * kPageSize, 1, __ATOMIC_RELAXED);
    }
  }
  munmap(at, pages * kPageSize);
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const int fd = open_memory(context, pages);
  auto& rounds = context.metric("munmaps");
  CostMeter meter(context);
  std::vector<std::thread> threads;
  const unsigned end = context.choice("threads") == "everywhere" ? context.topology().cpus : 2;
  for (unsigned cpu = 2; cpu < end; ++cpu) {
    threads.emplace_back([&context, cpu] {
      if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
      while (!context.stopping()) __builtin_ia32_pause();
    });
  }
  if (!pin_to_cpu(1)) context.fail("pin to CPU 1: %s", std::strerror(errno));
  context.wait_for_start();
  while (!context.stopping()) {
    meter.measure(pages, [&] { map_touch_unmap_once(context, fd, pages); });
    rounds.fetch_add(1, std::memory_order_relaxed);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

extern const Part map_touch_unmap{.kind = PartKind::workload,
                                  .name = "map_touch_unmap",
                                  .summary = "maps memory, touches every page, unmaps it, without end",
                                  .params = kParams,
                                  .needs_disk = true,
                                  .run = run};

}  // namespace luf::guest
