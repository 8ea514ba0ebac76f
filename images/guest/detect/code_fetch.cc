// Detector of R10 (fetch): once a write is over, code that was changed by it runs as it is now.
//
//   act       the writer (its own process and CPU) writes a page of code in the next version: each line of it is a
//             function that returns the version
//   promise   the call has returned (aio and io_uring: the completion was taken from the queue)
//   publish   the writer stores that version in shared memory (release)
//   observe   the reader (another address space and CPU) loads it (acquire), then calls the function through its
//             read-only executable mapping
//
// Proof of R10: the function returns an older version, for `settle` and until the injectors' calls have returned.
// Proof of R8: the line is no code of this page; it is looked at before it is called, through the same translation, and
// then not called. A function that returns an older version than the look has just shown proves nothing: load and fetch
// used the same translation, and an emulator that translates a line while another CPU overwrites it may go on with what
// it has read (metric `behind`). `via`, `fs`, `brief`, `tries` and `promises` as in write_under. Cannot see: a translation that only
// fetches use, since the look uses it as well; other promise points than that of a file write.
#include <algorithm>
#include <array>

#include "lib/file_versions.h"
#include "lib/params.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 2> kRules{"R10", "R8"};
constexpr std::array<Param, 5> kParams{{
    pages_param(1, kMaxWatchedPages, "pages of code"),
    period_param(2'000'000, "pause between two writes"),
    via_param(kWriteVia, "how the file is written; device: the node of a RAM disk"),
    fs_param(),
    settle_param(),
}};

/// `mov $version, %eax; ret`, and two bytes that are never run.
constexpr std::uint64_t function_word(std::uint64_t version) {
  return 0x9090c300000000b8 | (version & 0xffffffff) << 8U;
}

/// A line of code says whose it is, too: only its first word differs between versions.
Line code_line(std::uint64_t owner, std::uint64_t page, std::uint64_t version, std::uint64_t number) {
  Line line = make_line(owner, page, 1, number);
  line.magic = function_word(version);
  return line;
}

void fill_code_page(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version) {
  for (std::uint64_t number = 0; number < kLinesPerPage; ++number)
    static_cast<Line*>(page)[number] = code_line(owner, index, version, number);
}

/// Calls the line's function; the line as data would tell the version that it returned.
Line call_line(PartContext& context, const LinePlace& place) {
  const Line seen = load_line(place.at);
  Line own = code_line(context.owner(), place.page, 0, place.line);
  own.magic = seen.magic;
  if (seen != own || function_word(seen.magic >> 8U) != seen.magic) return seen;
  const auto function = reinterpret_cast<std::uint32_t (*)()>(reinterpret_cast<std::uintptr_t>(place.at));
  const std::uint32_t ran = function();
  const auto looked = static_cast<std::uint32_t>(seen.magic >> 8U);
  if (ran < looked) context.metric("behind").fetch_add(1, std::memory_order_relaxed);
  return make_line(context.owner(), place.page, std::max(ran, looked), place.line);
}

void run(PartContext& context) {
  context.metric("behind");
  run_version_watch(
      context, create_written_file(context, fill_code_page),
      {"R10", "the write was over", write_versions<fill_code_page>, call_line, PROT_READ | PROT_EXEC});
}

}  // namespace

extern const Part code_fetch{.kind = PartKind::detector,
                             .name = "code_fetch",
                             .summary = "code that was changed by a file write runs as it is now",
                             .rules = kRules,
                             .params = kParams,
                             .needs_disk = true,
                             .run = run};

}  // namespace luf::guest
