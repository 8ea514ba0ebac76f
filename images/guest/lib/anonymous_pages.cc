#include "lib/anonymous_pages.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "lib/page_pattern.h"

namespace luf::guest {

char* map_anonymous_pages(PartContext& context, std::uint64_t pages) {
  void* at = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  madvise(at, pages * kPageSize, MADV_NOHUGEPAGE);
  for (std::uint64_t page = 0; page < pages; ++page)
    fill_page(static_cast<char*>(at) + page * kPageSize, context.owner(), page, 1);
  return static_cast<char*>(at);
}

void advise(PartContext& context, char* at, std::uint64_t length, int advice) {
  if (madvise(at, length, advice) != 0) context.fail("madvise(%d): %s", advice, std::strerror(errno));
}

}  // namespace luf::guest
