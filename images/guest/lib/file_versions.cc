#include "lib/file_versions.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/doorbell.h"
#include "lib/residency.h"

namespace luf::guest {

namespace {

constexpr std::uint64_t kWritesPerSync = 8;

}  // namespace

std::string create_written_file(PartContext& context, PageFiller fill) {
  context.metric("tries");
  context.metric("promises");
  const std::uint64_t pages = context.number("pages");
  if (context.choice("via") == "device") return create_page_device(context, pages, fill);
  return create_page_file(context, pages, part_path(context), fill);
}

void write_file_versions(PartContext& context, const std::string& path, std::uint64_t pages,
                         CommittedVersions& committed, PageFiller fill) {
  auto& tries = context.metric("tries");
  auto& promises = context.metric("promises");
  const std::uint64_t period = context.number("period");
  const auto writer = open_file_writer(context, context.choice("via"), path);
  const int fd = open_page_file(context, path, O_RDWR);
  const Line* view = map_page_file(context, path, pages);  // for mincore only, never read
  alignas(kPageSize) static std::uint64_t data[kPageSize / sizeof(std::uint64_t)];
  context.spin_for_start();
  for (std::uint64_t round = 0; !context.stopping(); ++round) {
    const auto away = uncached_pages(view, pages);
    if (!away.empty()) promises.fetch_add(1);
    const std::uint64_t page = away.empty() ? (round * 7) % pages : away[round % away.size()];
    const std::uint64_t version = committed.version[page].load(std::memory_order_relaxed) + 1;
    fill(data, context.owner(), page, version);
    ring_mark(act_mark(context.index(), page, version));
    writer->write(data, page * kPageSize);  // act, and with its return the promise
    committed.version[page].store(version, std::memory_order_release);  // publish
    tries.fetch_add(1);
    // Only clean pages are reclaimed without a flush of their own.
    if (round % kWritesPerSync == kWritesPerSync - 1) fdatasync(fd);
    sleep_ns(period);
  }
}

}  // namespace luf::guest
