#include "lib/version_watch.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/doorbell.h"
#include "lib/unmappers.h"

namespace luf::guest {

CommittedVersions* map_committed_versions(PartContext& context, std::uint64_t pages) {
  if (pages > kMaxWatchedPages) {
    context.fail("pages: at most %llu", static_cast<unsigned long long>(kMaxWatchedPages));
  }
  void* at = mmap(nullptr, sizeof(CommittedVersions), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap of the committed versions: %s", std::strerror(errno));
  auto* versions = static_cast<CommittedVersions*>(at);
  for (auto& version : versions->version) version.store(1);
  return versions;
}

namespace {

void report_foreign(PartContext& context, const LinePlace& place, const Line& seen) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "A read of page %llu line %llu of %s returned %s.",
                static_cast<unsigned long long>(place.page), static_cast<unsigned long long>(place.line),
                owner_text(context.owner()).c_str(), describe_line(seen).c_str());
  Evidence evidence;
  evidence.number("page", place.page);
  evidence.number("line", place.line);
  evidence.line("seen", seen);
  context.report("R8", detail, evidence);
}

void report_old(PartContext& context, const VersionWatch& watch, const LinePlace& place,
                std::uint64_t committed, const Line& seen, std::uint64_t ticks) {
  char detail[256];
  std::snprintf(detail, sizeof(detail),
                "A read of page %llu line %llu returned version %llu although %.*s for version %llu.",
                static_cast<unsigned long long>(place.page), static_cast<unsigned long long>(place.line),
                static_cast<unsigned long long>(seen.version), static_cast<int>(watch.promise.size()),
                watch.promise.data(), static_cast<unsigned long long>(committed));
  Evidence evidence;
  evidence.number("page", place.page);
  evidence.number("line", place.line);
  evidence.number("committed", committed);
  evidence.number("version", seen.version);
  evidence.number("stale_ticks", ticks);
  evidence.line("seen", seen);
  context.report(watch.rule, detail, evidence);
}

/// One look at one line. A line torn by a copy that is under way (own place, wrong checksum) proves nothing.
/// `learnt` is the version of that page that the oracle has been told of.
void check_line(PartContext& context, const VersionWatch& watch, const LinePlace& place,
                std::uint64_t& learnt) {
  // observe: first what was promised (acquire), then the data.
  const std::uint64_t committed = watch.committed->version[place.page].load(std::memory_order_acquire);
  const unsigned mark = act_mark(context.index(), place.page, committed);
  if (committed != learnt) ring_promise(watch.rule, mark, place.at);
  learnt = committed;
  Line seen = watch.read(context, place);
  if (!same_place(seen, context.owner(), place.page, place.line)) {
    report_foreign(context, place, seen);
    return;
  }
  if (!well_formed(seen) || seen.version >= committed) return;
  const std::uint64_t first_tick = context.tick().load(std::memory_order_relaxed);
  const UnmappersReturned unmappers(context.area());
  std::uint64_t ticks = 0;
  bool settled = false;
  // The last look is one made after everything had settled.
  while (true) {
    const bool last = settled;
    const Line again = watch.read(context, place);
    // Reused meanwhile: the next round reports it as what it is.
    if (!same_place(again, context.owner(), place.page, place.line)) return;
    if (context.stopping()) return;
    if (well_formed(again) && again.version >= committed) {
      watch.brief->fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (last) break;
    ticks = context.tick().load(std::memory_order_relaxed) - first_tick;
    settled = ticks >= watch.settle_ticks && unmappers.all();
    if (settled) ring_settled(watch.rule, mark, place.at);
  }
  report_old(context, watch, place, committed, seen, ticks);
}

}  // namespace

void watch_versions(PartContext& context, const VersionWatch& watch) {
  std::array<std::uint64_t, kMaxWatchedPages> learnt{};
  context.spin_for_start();
  for (std::uint64_t line = 0; !context.stopping(); line = (line + 1) % kLinesPerPage) {
    for (std::uint64_t page = 0; page < watch.pages; ++page)
      check_line(context, watch, {page, line, page_lines(watch.view, page) + line}, learnt[page]);
    context.loads().fetch_add(watch.pages * kWordsPerLine, std::memory_order_relaxed);
  }
}

void run_version_watch(PartContext& context, const std::string& path, const VersionTest& test) {
  const std::uint64_t pages = context.number("pages");
  CommittedVersions* committed = map_committed_versions(context, pages);
  auto& brief = context.metric("brief");
  const std::uint64_t settle_ticks = context.number("settle") / 1'000'000;
  context.fork_pinned(context.reader_cpu(0), [&] {
    const Line* view = map_page_file(context, path, pages, test.protection);
    context.add_target(getpid(), const_cast<Line*>(view), pages * kPageSize);
    watch_versions(context,
                   {test.rule, test.promise, view, pages, committed, settle_ticks, &brief, test.read});
  });
  context.fork_pinned(context.worker_cpu(1), [&] { test.write(context, path, pages, *committed); });
  pin_to_cpu(context.worker_cpu(0));  // where reclaim runs: see VersionWatch::settle_ticks
  context.wait_for_start();
  context.supervise();
}

}  // namespace luf::guest
