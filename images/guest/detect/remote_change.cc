// Detector of R4 and R3 where the bytes of a file change with no local write: on a file system whose server is elsewhere.
//
//   act       the writer (its own process and CPU) has the FUSE server of this part (lib/fuse_server.h) change a page to
//             the next version, behind the back of the kernel
//   promise   `via` inval: FUSE_NOTIFY_INVAL_INODE of the page has returned (R4). store: FUSE_NOTIFY_STORE, which puts
//             the new bytes into the page cache, has (R3). refetch: there is no notification; a pread() of the page has
//             returned the new bytes (R3): the page cache shows one content to all
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then the line through its mapping
//
// Proof: a whole line that is older, for `settle` and until the injectors' calls have returned. Proof of R8: a line that is
// not this line of this file. `brief`, `tries` and `promises` as in write_under; with refetch only changes that a pread()
// has shown count as tries, since nobody is promised any other. Cannot see: what other file systems with a server elsewhere
// do before they invalidate; an old page that a reader gets from the server itself.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lib/doorbell.h"
#include "lib/fuse_server.h"
#include "lib/params.h"
#include "lib/residency.h"
#include "lib/version_watch.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 3> kRules{"R4", "R3", "R8"};
constexpr std::array<std::string_view, 3> kVia{"inval", "store", "refetch"};
constexpr std::array<Param, 4> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of the file"),
    period_param(2'000'000, "pause between two changes"),
    via_param(kVia, "how the kernel learns of a change"),
    settle_param(),
}};

/// Made before the processes of the part are: they share its file.
const FuseServer* server = nullptr;

/// The page reads as version `version` by pread().
bool shows_version(PartContext& context, int fd, std::uint64_t page, std::uint64_t version) {
  alignas(kPageSize) static std::array<Line, kLinesPerPage> seen;
  if (pread(fd, seen.data(), kPageSize, static_cast<off_t>(page * kPageSize)) !=
      static_cast<ssize_t>(kPageSize))
    context.fail("pread: %s", std::strerror(errno));
  return well_formed(seen.back()) && seen.back().version == version;
}

/// act and promise. Returns whether there is a promise.
bool change_page(PartContext& context, std::string_view via, int fd, std::uint64_t page,
                 std::uint64_t version) {
  alignas(kPageSize) static std::array<std::uint64_t, kPageSize / sizeof(std::uint64_t)> data;
  const std::uint64_t offset = page * kPageSize;
  fill_page(data.data(), context.owner(), page, version);
  server->change(context.id(), offset, data.data());
  if (via == "refetch") return shows_version(context, fd, page, version);
  if (via == "store")
    server->store(context.id(), offset);
  else
    server->invalidate(context.id(), offset);
  return true;
}

void change_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                     CommittedVersions& committed) {
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::string via = context.choice("via");
  const std::uint64_t period = context.number("period");
  const int fd = open_page_file(context, path, O_RDWR);
  const Line* view = map_page_file(context, path, pages);  // for mincore only, never read
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    const auto away = uncached_pages(view, pages);
    const std::uint64_t page = away.empty() ? (round * 7) % pages : away[round % away.size()];
    const std::uint64_t version = committed.version[page].load(std::memory_order_relaxed) + 1;
    ring_mark(act_mark(context.index(), page, version));
    if (change_page(context, via, fd, page, version)) {
      committed.version[page].store(version, std::memory_order_release);  // publish
      tries.fetch_add(1);
      if (!away.empty()) promises.fetch_add(1);
    }
    sleep_ns(period);
  }
}

void run(PartContext& context) {
  context.metric("tries");
  context.metric("promises");
  const std::string via = context.choice("via");
  static const FuseServer own(context, false);
  server = &own;
  const std::string path =
      create_page_file(context, context.number("pages"), own.directory() + "/" + context.id());
  VersionTest test{"R4", "the invalidation of the page had returned", change_versions};
  if (via == "store") test = {"R3", "the server's new bytes were stored in the page cache", change_versions};
  if (via == "refetch") test = {"R3", "pread() had returned the server's new bytes", change_versions};
  run_version_watch(context, path, test);
}

}  // namespace

extern const Part remote_change{
    .kind = PartKind::detector,
    .name = "remote_change",
    .summary = "what the server of a file system has changed shows through every mapping",
    .rules = kRules,
    .params = kParams,
    .needs_file = "/dev/fuse",
    .run = run};

}  // namespace luf::guest
