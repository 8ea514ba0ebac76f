#include "lib/residency.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/page_pattern.h"

namespace luf::guest {

PageTableView::PageTableView(PartContext& context, const void* address, std::uint64_t pages)
    : fd_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)),
      first_(reinterpret_cast<std::uint64_t>(address) / kPageSize),
      entries_(pages) {
  if (fd_ < 0) context.fail("open /proc/self/pagemap: %s", std::strerror(errno));
}

PageTableView::~PageTableView() { close(fd_); }

void PageTableView::refresh() {
  const std::size_t bytes = entries_.size() * sizeof(std::uint64_t);
  const auto at = static_cast<off_t>(first_ * sizeof(std::uint64_t));
  if (pread(fd_, entries_.data(), bytes, at) != static_cast<ssize_t>(bytes)) {
    entries_.assign(entries_.size(), ~std::uint64_t{0});  // unknown counts as present
  }
}

std::vector<std::uint64_t> uncached_pages(const void* mapping, std::uint64_t pages) {
  std::vector<unsigned char> cached(pages, 1);
  std::vector<std::uint64_t> result;
  if (mincore(const_cast<void*>(mapping), pages * kPageSize, cached.data()) != 0) return result;
  for (std::uint64_t page = 0; page < pages; ++page) {
    if ((cached[page] & 1U) == 0) result.push_back(page);
  }
  return result;
}

}  // namespace luf::guest
