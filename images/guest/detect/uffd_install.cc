// Detector of R9 (userfaultfd): what UFFDIO_COPY, UFFDIO_ZEROPAGE or UFFDIO_CONTINUE has installed is seen, and an address
// that UFFDIO_MOVE has moved away from no longer shows the page.
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
// `via` continue, on a memfd that B maps read-only:
//   act       thread A finds that reclaim has taken a page from the page table, registers it for minor faults, stores the
//             next version through a mapping of its own, and has the page mapped
//   promise   the ioctl has returned
//   observe   B reads the version that was stored
// Afterwards the page is left to ordinary faults, which map it clean: only such a page is left to a deferred flush. The store
// is a promise of R5 as well, which it takes to forget before this one can show.
//
// Proof of R9: the old version, for `settle` and until the injectors' calls have returned. Proof of R8: a line of
// somebody else. `brief` as in write_under. Cannot see: COPY and ZEROPAGE into shared memory.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/anonymous_pages.h"
#include "lib/page_pair.h"
#include "lib/params.h"
#include "lib/userfault.h"

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
constexpr std::array<std::string_view, 4> kVia{"copy", "zeropage", "move", "continue"};
constexpr std::array<Param, 4> kParams{{
    pages_param(2, kMaxPairPages, "pages of the region; every second one is acted on"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the userfaultfd call"),
    settle_param(),
}};

std::uint64_t as_number(const void* address) { return reinterpret_cast<std::uint64_t>(address); }

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
  char* view = map_anonymous_pages(context, pages);
  // A page that may be written is never left to a deferred flush.
  if (mprotect(view, pages * kPageSize, PROT_READ) != 0) context.fail("mprotect: %s", std::strerror(errno));
  const int fd = open_userfaultfd(context, UFFD_FEATURE_SIGBUS);
  register_userfault(context, fd, view, pages * kPageSize, UFFDIO_REGISTER_MODE_MISSING);
  for (std::uint64_t page = 1; page < pages; page += 2)
    advise(context, view + page * kPageSize, kPageSize, MADV_FREE);
  static PagePair pair(context, view, pages);
  std::array<std::uint64_t, kMaxPairPages> version{};
  version.fill(1);
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    char* at = pair.address(page);
    pair.begin(page);
    if (zeros && install(context, fd, at, nullptr)) {
      pair.tell(page, kZeros, promise);
      pair.begin(page);
      advise(context, at, kPageSize, MADV_DONTNEED);
    }
    fill_page(data, context.owner(), page, version[page] + 1);
    if (install(context, fd, at, data))
      pair.tell(page, ++version[page], promise);
    else
      pair.keep(page, version[page], promise);
    advise(context, at, kPageSize, MADV_FREE);
  });
}

void move_pages_away(PartContext& context, std::uint64_t pages, const PairPromise& promise) {
  char* view = map_anonymous_pages(context, pages);
  void* elsewhere = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (elsewhere == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  const int fd = open_userfaultfd(context, kFeatureMove | UFFD_FEATURE_PAGEFAULT_FLAG_WP);
  register_userfault(context, fd, view, pages * kPageSize, UFFDIO_REGISTER_MODE_WP);
  register_userfault(context, fd, static_cast<char*>(elsewhere), kPageSize, UFFDIO_REGISTER_MODE_MISSING);
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
      advise(context, static_cast<char*>(elsewhere), kPageSize, MADV_DONTNEED);
    } else if (errno != EBUSY && errno != EAGAIN) {
      context.fail("UFFDIO_MOVE: %s", std::strerror(errno));
    }
    advise(context, at, kPageSize, MADV_DONTNEED);
    fill_page(at, context.owner(), page, ++version);
    write_protect(context, fd, at, kPageSize);
    pair.tell(page, version, promise);
    advise(context, at, kPageSize, MADV_PAGEOUT);  // it comes back clean
  });
}

/// A memfd of `pages` pages, mapped twice.
struct Shared {
  char* view;   ///< B's: read-only, but userfaultfd takes no file that cannot be written
  char* alias;  ///< A's, to store through
};

Shared map_shared(PartContext& context, std::uint64_t pages) {
  const std::uint64_t length = pages * kPageSize;
  const int fd = memfd_create("lufbed", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(length)) != 0)
    context.fail("memfd: %s", std::strerror(errno));
  void* alias = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  void* view = mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
  if (alias == MAP_FAILED || view == MAP_FAILED) context.fail("mmap of a memfd: %s", std::strerror(errno));
  for (std::uint64_t page = 0; page < pages; ++page)
    fill_page(static_cast<char*>(alias) + page * kPageSize, context.owner(), page, 1);
  advise(context, static_cast<char*>(alias), length, MADV_DONTNEED);
  return {static_cast<char*>(view), static_cast<char*>(alias)};
}

/// What is there now, B's faults brought: it goes, and B faults until this is over.
void continue_page(PartContext& context, int fd, char* at) {
  while (true) {
    uffdio_continue request{{as_number(at), kPageSize}, 0, 0};
    if (ioctl(fd, UFFDIO_CONTINUE, &request) == 0) return;
    if (errno != EEXIST) context.fail("UFFDIO_CONTINUE: %s", std::strerror(errno));
    advise(context, at, kPageSize, MADV_DONTNEED);
  }
}

void continue_pages(PartContext& context, std::uint64_t pages, const PairPromise& promise) {
  const PairPromise mapped{"R9", promise.clause, promise.settle_ms};
  const Shared shared = map_shared(context, pages);
  const int fd = open_userfaultfd(context, UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MINOR_SHMEM);
  static PagePair pair(context, shared.view, pages);
  std::array<std::uint64_t, kMaxPairPages> version{};
  version.fill(1);
  pair.run(1, Absence::no_entry, [&](std::uint64_t page) {
    char* at = pair.address(page);
    char* alias = shared.alias + page * kPageSize;
    pair.begin(page);
    register_userfault(context, fd, at, kPageSize, UFFDIO_REGISTER_MODE_MINOR);
    restamp_page(alias, context.owner(), page, ++version[page]);
    continue_page(context, fd, at);
    pair.tell(page, version[page], promise);
    pair.begin(page);
    uffdio_range range{as_number(at), kPageSize};
    if (ioctl(fd, UFFDIO_UNREGISTER, &range) != 0)
      context.fail("UFFDIO_UNREGISTER: %s", std::strerror(errno));
    for (char* there : {at, alias}) advise(context, there, kPageSize, MADV_DONTNEED);
    pair.tell(page, version[page], mapped);
  });
}

std::string lacks(const ParamValues& params) {
  const auto via = params.texts.find("via");
  const bool moves = via != params.texts.end() && via->second == "move";
  return moves && (userfault_features() & kFeatureMove) == 0
             ? "the kernel has no UFFDIO_MOVE (it came with Linux 6.8)"
             : std::string();
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
    else if (via == "continue")
      continue_pages(context, pages, returned);
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
    .lacks = lacks,
    .run = run};

}  // namespace luf::guest
