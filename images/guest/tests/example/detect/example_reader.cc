// Detector of R8, the smallest that there can be: one reader of a file that never changes.
//
// Proof: a line that is not the only content it ever had. It stands here to show what a detector takes, and is no part of
// the guest image.
#include <unistd.h>

#include <array>

#include "lib/page_file.h"
#include "lib/part_context.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 1> kRules{"R8"};
constexpr std::uint64_t kPages = 48;

void read_on(PartContext& context, const Line* view) {
  context.add_target(getpid(), const_cast<Line*>(view), kPages * kPageSize);
  context.spin_for_start();
  while (!context.stopping()) {
    for (std::uint64_t page = 0; page < kPages; ++page) {
      const Line seen = load_line(page_lines(view, page));
      if (seen != make_line(context.owner(), page, 1, 0)) context.report("R8", describe_line(seen), {});
    }
    context.loads().fetch_add(kPages * kWordsPerLine, std::memory_order_relaxed);
  }
}

void run(PartContext& context) {
  const std::string path = create_page_file(context, kPages);
  context.fork_pinned(context.reader_cpu(0), [&] { read_on(context, map_page_file(context, path, kPages)); });
  context.wait_for_start();
  context.supervise();
}

}  // namespace

extern const Part example_reader{.kind = PartKind::detector,
                                 .name = "example_reader",
                                 .summary = "the smallest detector",
                                 .rules = kRules,
                                 .needs_disk = true,
                                 .run = run};

}  // namespace luf::guest
