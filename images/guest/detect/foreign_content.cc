// Detector of R8 (reuse): no CPU may reach a frame that has a new owner.
//
// Reader processes, each in an address space of its own on a CPU of its own, spin over a read-only shared
// mapping of a file whose lines all describe themselves and never change. No system call, no mapping call, no
// fault but a refault: a translation that went stale stays in use for as long as the kernel lets it.
//
// Proof: a line that is not, word for word, the only content that this line of this file ever had. The frame
// was given to somebody else, or its bytes were changed while it was free. No knowledge of the kernel is
// needed. Cannot see: a stale translation whose frame still holds the old bytes (legal), stores, and reuse in
// the time during which the reader looks elsewhere if the bytes come back.
#include <unistd.h>

#include <array>
#include <cstdio>

#include "lib/page_file.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 1> kRules{"R8"};
constexpr std::array<Param, 2> kParams{{
    {.name = "pages",
     .type = ParamType::count,
     .default_number = 48,
     .min = 1,
     .max = 4096,
     .summary = "pages of the file; below 64, or the emulated TLB forgets them by itself"},
    {.name = "readers",
     .type = ParamType::count,
     .default_number = 2,
     .min = 1,
     .max = 8,
     .summary = "reader processes, each on its own CPU from the highest downwards"},
}};

void report(PartContext& context, unsigned cpu, std::uint64_t page, std::uint64_t number,
            const Line& expected, const Line& seen) {
  char detail[256];
  std::snprintf(detail, sizeof(detail), "CPU %u read page %llu line %llu of %s and got %s.", cpu,
                static_cast<unsigned long long>(page), static_cast<unsigned long long>(number),
                owner_text(context.owner()).c_str(), describe_line(seen).c_str());
  Evidence evidence;
  evidence.number("page", page);
  evidence.number("line", number);
  evidence.number("cpu", cpu);
  evidence.line("expected", expected);
  evidence.line("seen", seen);
  if (seen.magic == kLineMagic) evidence.text("owner", owner_text(seen.owner));
  context.report("R8", detail, evidence);
}

void check_page(PartContext& context, unsigned cpu, const Line* view, std::uint64_t page) {
  const Line* lines = page_lines(view, page);
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number) {
    const Line expected = make_line(context.owner(), page, 1, number);
    const Line seen = load_line(lines + number);
    if (seen == expected) continue;
    report(context, cpu, page, number, expected, seen);
    return;  // one finding a page and round says enough
  }
}

void read_on(PartContext& context, unsigned cpu, const Line* view, std::uint64_t pages) {
  context.add_target(getpid(), const_cast<Line*>(view), pages * kPageSize);
  context.spin_for_start();
  while (!context.stopping()) {
    for (std::uint64_t page = 0; page < pages && !context.stopping(); ++page) {
      check_page(context, cpu, view, page);
      context.loads().fetch_add(kLinesPerPage * kWordsPerLine, std::memory_order_relaxed);
    }
  }
}

void run(PartContext& context) {
  const std::uint64_t pages = context.number("pages");
  const std::uint64_t readers = context.number("readers");
  const std::string path = create_page_file(context, pages);
  for (unsigned reader = 0; reader < readers; ++reader) {
    const unsigned cpu = context.reader_cpu(reader);
    context.fork_pinned(cpu, [&] { read_on(context, cpu, map_page_file(context, path, pages), pages); });
  }
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part foreign_content{.kind = PartKind::detector,
                                  .name = "foreign_content",
                                  .summary = "readers of a constant file must never see anybody else's bytes",
                                  .rules = kRules,
                                  .params = kParams,
                                  .needs_disk = true,
                                  .run = run};

}  // namespace luf::guest
