// Detector of R11 (kernel reads): where the kernel reads by a user's address it sees what a load of the program would.
//
//   act       the writer (its own process and CPU) writes a whole page in the next version
//   promise   the call has returned (aio and io_uring: the completion was taken from the queue)
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then has the kernel read the line
//
// `by` pipe: write(2) of the line to a pipe, where it is read back. `by` futex: FUTEX_CMP_REQUEUE
// of nobody on the word that holds the version, which says whether the kernel found the version expected there. Proof of R11: the kernel
// saw a line older than the version loaded before, for `settle` and until the injectors' calls have returned. Proof of R8:
// a line that is not this line of this file. `via`, `fs`, `brief`, `tries` and `promises` as in write_under. The reader's
// system calls never wait, so its CPU keeps its address space. Cannot see: other promise points than that of a file
// write; reads from contexts that may not fault.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/file_versions.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R11", "R8"};
constexpr std::array<std::string_view, 2> kBy{"pipe", "futex"};
constexpr std::array<Param, 6> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of the file"),
    period_param(2'000'000, "pause between two writes"),
    via_param(kWriteVia, "how the file is written; device: the node of a RAM disk"),
    choice_param("by", kBy, "how the kernel is made to read"),
    fs_param(),
    settle_param(),
}};

Line read_by_pipe(PartContext& context, const LinePlace& place) {
  static std::array<int, 2> ends{-1, -1};
  if (ends[0] < 0 && pipe(ends.data()) != 0) context.fail("pipe: %s", std::strerror(errno));
  Line line{};
  if (write(ends[1], place.at, kLineSize) != static_cast<ssize_t>(kLineSize) ||
      read(ends[0], &line, kLineSize) != static_cast<ssize_t>(kLineSize))
    context.fail("a line through the pipe: %s", std::strerror(errno));
  return line;
}

/// The kernel finds `expected` at `word`.
bool kernel_finds(PartContext& context, const std::uint64_t* word, std::uint64_t expected) {
  static std::uint32_t other = 0;
  // Wakes nobody and moves nobody. FUTEX_WAIT would sleep, and a CPU that comes back from that has flushed.
  const long done = syscall(SYS_futex, word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 0L, &other,
                            static_cast<std::uint32_t>(expected));
  if (done != 0 && errno != EAGAIN) context.fail("futex: %s", std::strerror(errno));
  return done == 0;
}

/// What the kernel finds is asked of two versions: the one that it found last there, and the one that a load finds.
Line read_by_futex(PartContext& context, const LinePlace& place) {
  static std::array<std::uint64_t, kMaxWatchedPages> last{};
  if (last[place.page] != 0 && kernel_finds(context, &place.at->version, last[place.page]))
    return make_line(context.owner(), place.page, last[place.page], place.line);
  Line seen = load_line(place.at);
  if (!same_place(seen, context.owner(), place.page, place.line) || !well_formed(seen)) return seen;
  if (kernel_finds(context, &place.at->version, seen.version)) {
    last[place.page] = seen.version;
  } else {
    seen.checksum = ~seen.checksum;  // it has just changed: says nothing
  }
  return seen;
}

void run(PartContext& context) {
  run_version_watch(context, create_written_file(context, fill_page),
                    {"R11", "the write was over", write_versions<fill_page>,
                     context.choice("by") == "pipe" ? read_by_pipe : read_by_futex});
}

}  // namespace

extern const Part kernel_read{.kind = PartKind::detector,
                              .name = "kernel_read",
                              .summary = "the kernel reads by user address what the program would load",
                              .rules = kRules,
                              .params = kParams,
                              .needs_disk = true,
                              .run = run};

}  // namespace luf::guest
