// Detector of R4 (revocation): once a call that takes data out of a file has returned, its old bytes are gone
// from every mapping.
//
//   act       thread A revokes the second half of a one-page file (or a page of a block device) that thread B
//             reads all the time through a read-only mapping and that reclaim has taken from the page tables
//   promise   the call has returned
//   observe   B must read zeros, or get SIGBUS (lib/page_pair.h)
//
// `via` truncate shrinks the file to half a page and grows it again; hole and zero are fallocate with
// PUNCH_HOLE and ZERO_RANGE of the half; none of them unmaps a page that is partly kept, so nothing flushes on
// the way. shrink truncates to nothing and grows again: the page is unmapped. zeroout is BLKZEROOUT of a whole
// page of a RAM disk: no file is written and nothing is unmapped. collapse and insert take the first page of a file of two
// out, or put an empty one before it; remove is MADV_REMOVE through a writable mapping. Afterwards A writes the page anew with pwrite,
// which is a promise of R3; by then mprotect has flushed what B saw in between. Proof of R4: an old line, for `settle` and until the injectors' calls have returned.
// Proof of R8: a line of something else. `brief` as in write_under. Cannot see: network
// file systems (remote_change).
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/file_system.h"
#include "lib/page_pair.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr off_t kHalf = kPageSize / 2;
constexpr std::array<std::string_view, 3> kRules{"R4", "R3", "R8"};
constexpr std::array<std::string_view, 8> kVia{"truncate", "hole",     "zero",   "shrink",
                                               "zeroout",  "collapse", "insert", "remove"};
constexpr std::array<Param, 5> kParams{{
    pages_param(2, kMaxPairPages, "files of one page, or pages of the device; every second one is revoked"),
    period_param(1'000'000, "pause between two looks at the page table"),
    via_param(kVia, "the call that revokes"),
    fs_param(),
    settle_param(),
}};

/// Where the bytes of a page live.
struct Place {
  int fd;
  off_t offset;
};

void revoke(PartContext& context, std::string_view via, const Place& place) {
  bool done = false;
  if (via == "truncate" || via == "shrink") {
    done = ftruncate(place.fd, via == "truncate" ? kHalf : 0) == 0 && ftruncate(place.fd, kPageSize) == 0;
  } else if (via == "zeroout") {
    std::uint64_t range[2] = {static_cast<std::uint64_t>(place.offset), kPageSize};
    done = ioctl(place.fd, BLKZEROOUT, range) == 0;
  } else if (via == "remove") {
    void* alias = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, place.fd, place.offset);
    done =
        alias != MAP_FAILED && madvise(alias, kPageSize, MADV_REMOVE) == 0 && munmap(alias, kPageSize) == 0;
  } else if (via == "collapse" || via == "insert") {
    const int mode = via == "collapse" ? FALLOC_FL_COLLAPSE_RANGE : FALLOC_FL_INSERT_RANGE;
    done = fallocate(place.fd, mode, 0, kPageSize) == 0 && ftruncate(place.fd, 2 * kPageSize) == 0;
  } else {
    const int mode = via == "hole" ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
    done = fallocate(place.fd, mode, kHalf, kPageSize - kHalf) == 0;
  }
  if (!done)
    context.fail("revoke via %.*s: %s", static_cast<int>(via.size()), via.data(), std::strerror(errno));
}

void write_page(PartContext& context, const Place& place, std::uint64_t page, std::uint64_t version) {
  alignas(kPageSize) static std::uint64_t data[kPageSize / sizeof(std::uint64_t)];
  fill_page(data, context.owner(), page, version);
  if (pwrite(place.fd, data, kPageSize, place.offset) != static_cast<ssize_t>(kPageSize))
    context.fail("write page %llu: %s", static_cast<unsigned long long>(page), std::strerror(errno));
  fdatasync(place.fd);  // only clean pages are reclaimed without a flush of their own
}

/// Makes a place for each page, with version 1 in it, and maps it read-only at its address in `view`.
std::vector<Place> map_places(PartContext& context, std::string_view via, char* view, std::uint64_t pages) {
  std::vector<Place> places;
  const bool device = via == "zeroout";
  const bool moves = via == "collapse" || via == "insert";
  const std::string base = device ? spare_disk(context) : part_path(context);
  for (std::uint64_t page = 0; page < pages; ++page) {
    const std::string path = device ? base : base + "." + std::to_string(page);
    const off_t offset = device ? static_cast<off_t>(page * kPageSize) : 0;
    places.push_back({open_page_file(context, path, O_RDWR | O_CREAT), offset});
    if (moves && ftruncate(places.back().fd, 2 * kPageSize) != 0)
      context.fail("make %s: %s", path.c_str(), std::strerror(errno));
    write_page(context, places.back(), page, 1);
    posix_fadvise(places.back().fd, 0, 0, POSIX_FADV_DONTNEED);
    const int read_only = open_page_file(context, path, O_RDONLY);
    char* at = view + page * kPageSize;
    if (mmap(at, kPageSize, PROT_READ, MAP_SHARED | MAP_FIXED, read_only, offset) != at)
      context.fail("mmap of %s: %s", path.c_str(), std::strerror(errno));
    close(read_only);
    madvise(at, kPageSize, MADV_RANDOM);
  }
  return places;
}

/// A kernel that is made to forget the flush of R4 may have to forget that of R3, too, since the same call passes both:
/// that must not show first.
void flush_by_mprotect(PartContext& context, char* at) {
  for (const int protection : {PROT_NONE, PROT_READ}) {
    if (mprotect(at, kPageSize, protection) != 0) context.fail("mprotect: %s", std::strerror(errno));
  }
}

void revoke_pages(PartContext& context, std::uint64_t pages) {
  const std::string via = context.choice("via");
  const std::uint64_t settle_ms = context.number("settle") / 1'000'000;
  const PairPromise revoked{"R4", "the call that revoked its data had returned", settle_ms};
  const PairPromise written{"R3", "pwrite() of it had returned", settle_ms};
  void* view = mmap(nullptr, pages * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (view == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  const std::vector<Place> places = map_places(context, via, static_cast<char*>(view), pages);
  const bool half = via == "truncate" || via == "hole" || via == "zero";
  static PagePair pair(context, static_cast<char*>(view), pages, half ? kLinesPerPage / 2 : 0);
  std::uint64_t version = 1;
  pair.run(version, Absence::no_entry, [&](std::uint64_t page) {
    pair.begin(page);
    revoke(context, via, places[page]);
    pair.tell(page, kZeros, revoked);
    pair.begin(page);
    write_page(context, places[page], page, ++version);
    flush_by_mprotect(context, pair.address(page));
    pair.tell(page, version, written);
  });
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  run_pair_process(context, [&] { revoke_pages(context, pages); });
}

}  // namespace

extern const Part revoke_data{
    .kind = PartKind::detector,
    .name = "revoke_data",
    .summary = "after truncation, hole punching and zeroing no mapping shows the old bytes",
    .rules = kRules,
    .params = kParams,
    .needs_disk = true,
    .run = run};

}  // namespace luf::guest
