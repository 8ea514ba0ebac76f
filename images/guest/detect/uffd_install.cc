// Detector of R9 (userfaultfd): what UFFDIO_COPY or UFFDIO_ZEROPAGE has installed is seen, and an address that
// UFFDIO_MOVE has moved away from no longer shows the page.
//
// `via` copy and zeropage, on private anonymous memory that may only be read:
//   act       thread A has given a page up (MADV_FREE) and reclaim has taken it, although thread B reads it; A
//             installs the next version, or the zero page, in the hole
//   promise   the ioctl has returned
//   observe   B reads what was installed (lib/page_pair.h); a hole gives SIGBUS, which says nothing
//
// `via` move, on private anonymous memory that userfaultfd has write-protected, so that it is swapped in
// read-only:
//   act       thread A finds a page swapped out that thread B reads, and moves it elsewhere: the kernel moves a
//             swap entry, which needs no flush of its own
//   promise   the ioctl has returned
//   observe   B reads zeros: nothing is at that address any more
//
// Proof of R9: the old version, for `settle` and until the injectors' calls have returned. Proof of R8: a line of
// somebody else. `brief` as in write_under. Cannot see: CONTINUE, shared memory.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

/// UFFDIO_MOVE is younger (Linux 6.8) than the headers that the program is built with.
struct MoveRequest {
  std::uint64_t dst;
  std::uint64_t src;
  std::uint64_t length;
  std::uint64_t mode;
  std::int64_t moved;
};
constexpr unsigned long kMove = _IOWR(UFFDIO, 0x05, MoveRequest);
constexpr std::uint64_t kFeatureMove = 1U << 16U;

constexpr std::array<std::string_view, 2> kRules{"R9", "R8"};
constexpr std::array<std::string_view, 3> kVia{"copy", "zeropage", "move"};
constexpr std::array<Param, 4> kParams{{
    pages_param(2, kMaxPairPages, "pages of the region; every second one is acted on"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the userfaultfd call"),
    settle_param(),
}};

std::uint64_t as_number(const void* address) { return reinterpret_cast<std::uint64_t>(address); }

int open_userfaultfd(PartContext& context, std::uint64_t features) {
  const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api{UFFD_API, features, 0};
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0) context.fail("userfaultfd: %s", std::strerror(errno));
  return fd;
}

void register_range(PartContext& context, int fd, char* at, std::uint64_t length, std::uint64_t mode) {
  uffdio_register request{{as_number(at), length}, mode, 0};
  if (ioctl(fd, UFFDIO_REGISTER, &request) != 0) context.fail("UFFDIO_REGISTER: %s", std::strerror(errno));
}

void give_up(PartContext& context, char* at, std::uint64_t length, int advice) {
  if (madvise(at, length, advice) != 0) context.fail("madvise: %s", std::strerror(errno));
}

char* map_anonymous(PartContext& context, std::uint64_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_NOHUGEPAGE);
  for (std::uint64_t page = 0; page < pages; ++page)
    fill_page(static_cast<char*>(at) + page * kPageSize, context.owner(), page, 1);
  return static_cast<char*>(at);
}

/// Installs `data` (nullptr: the zero page). Returns false when something is there already.
bool install(PartContext& context, int fd, char* at, const void* data) {
  uffdio_copy copy{as_number(at), as_number(data), kPageSize, 0, 0};
  uffdio_zeropage zero{{as_number(at), kPageSize}, 0, 0};
  const int done = data != nullptr ? ioctl(fd, UFFDIO_COPY, &copy) : ioctl(fd, UFFDIO_ZEROPAGE, &zero);
  if (done != 0 && errno != EEXIST) context.fail("install a page: %s", std::strerror(errno));
  return done == 0;
}

void install_pages(PartContext& context, std::uint64_t pages, bool zeros, const PairPromise& promise) {
  alignas(kPageSize) static std::uint64_t data[kPageSize / sizeof(std::uint64_t)];
  char* view = map_anonymous(context, pages);
  // A page that may be written is never left to a deferred flush.
  if (mprotect(view, pages * kPageSize, PROT_READ) != 0) context.fail("mprotect: %s", std::strerror(errno));
  const int fd = open_userfaultfd(context, UFFD_FEATURE_SIGBUS);
  register_range(context, fd, view, pages * kPageSize, UFFDIO_REGISTER_MODE_MISSING);
  for (std::uint64_t page = 1; page < pages; page += 2)
    give_up(context, view + page * kPageSize, kPageSize, MADV_FREE);
  static PagePair pair(context, view, pages);
  std::array<std::uint64_t, kMaxPairPages> version{};
  version.fill(1);
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    char* at = pair.address(page);
    pair.begin(page);
    if (zeros && install(context, fd, at, nullptr)) {
      pair.tell(page, kZeros, promise);
      pair.begin(page);
      give_up(context, at, kPageSize, MADV_DONTNEED);
    }
    fill_page(data, context.owner(), page, version[page] + 1);
    if (install(context, fd, at, data)) ++version[page];
    pair.tell(page, version[page], promise);
    give_up(context, at, kPageSize, MADV_FREE);
  });
}

void write_protect(PartContext& context, int fd, char* at, std::uint64_t length) {
  uffdio_writeprotect request{{as_number(at), length}, UFFDIO_WRITEPROTECT_MODE_WP};
  if (ioctl(fd, UFFDIO_WRITEPROTECT, &request) != 0)
    context.fail("UFFDIO_WRITEPROTECT: %s", std::strerror(errno));
}

void move_pages_away(PartContext& context, std::uint64_t pages, const PairPromise& promise) {
  char* view = map_anonymous(context, pages);
  void* elsewhere = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (elsewhere == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  const int fd = open_userfaultfd(context, kFeatureMove | UFFD_FEATURE_PAGEFAULT_FLAG_WP);
  register_range(context, fd, view, pages * kPageSize, UFFDIO_REGISTER_MODE_WP);
  register_range(context, fd, static_cast<char*>(elsewhere), kPageSize, UFFDIO_REGISTER_MODE_MISSING);
  write_protect(context, fd, view, pages * kPageSize);
  auto& moves = context.metric("moves");
  static PagePair pair(context, view, pages);
  std::uint64_t version = 1;
  pair.run(1, Absence::swap_entry, [&](std::uint64_t page) {
    char* at = pair.address(page);
    MoveRequest request{as_number(elsewhere), as_number(at), kPageSize, 0, 0};
    pair.begin(page);
    // Busy while it is being swapped: then only the content changes.
    if (ioctl(fd, kMove, &request) == 0) {
      moves.fetch_add(1);
      pair.tell(page, kZeros, promise);
      pair.begin(page);
      give_up(context, static_cast<char*>(elsewhere), kPageSize, MADV_DONTNEED);
    } else if (errno != EBUSY && errno != EAGAIN) {
      context.fail("UFFDIO_MOVE: %s", std::strerror(errno));
    }
    give_up(context, at, kPageSize, MADV_DONTNEED);
    fill_page(at, context.owner(), page, ++version);
    write_protect(context, fd, at, kPageSize);
    pair.tell(page, version, promise);
    give_up(context, at, kPageSize, MADV_PAGEOUT);  // it comes back clean
  });
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const std::string via = context.choice("via");
  context.metric("moves");
  run_pair_process(context, [&] {
    const PairPromise returned{"R9", "the userfaultfd ioctl had returned",
                               context.number("settle") / 1'000'000, via != "move"};
    if (via == "move")
      move_pages_away(context, pages, returned);
    else
      install_pages(context, pages, via == "zeropage", returned);
  });
}

}  // namespace

extern const Part uffd_install{
    .kind = PartKind::detector,
    .name = "uffd_install",
    .summary = "what userfaultfd has installed is seen, what it has moved away is not",
    .rules = kRules,
    .params = kParams,
    .needs_swap = true,
    .run = run};

}  // namespace luf::guest
