#include "lib/private_store.h"

#include <sys/mman.h>
#include <sys/swap.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "agent/kernel_files.h"
#include "lib/anonymous_pages.h"
#include "lib/swap_device.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

namespace luf::guest {

namespace {

/// What all ways share: the pages, and the version of each.
class PrivatePages {
 public:
  PrivatePages(PartContext& context, char* view, std::uint64_t pages, const PairPromise& stored)
      : context_(context), stored_(stored), pages_(pages), pair_(context, view, pages) {
    version_.fill(1);
  }

  PagePair& pair() { return pair_; }
  char* at(std::uint64_t page) const { return pair_.address(page); }
  std::uint64_t pages() const { return pages_; }
  std::uint64_t version(std::uint64_t page) const { return version_[page]; }
  void occasion() { context_.metric(kOccasions).fetch_add(1); }

  /// The whole page: nothing may be left of it.
  void store(std::uint64_t page) { fill_page(at(page), context_.owner(), page, ++version_[page]); }
  void tell(std::uint64_t page) { pair_.tell(page, version_[page], stored_); }
  void tell_or_zeros(std::uint64_t page) { pair_.tell(page, version_[page], stored_or_gone_); }
  void fill_all() {
    for (std::uint64_t page = 0; page < pages_; ++page)
      fill_page(at(page), context_.owner(), page, version_[page]);
  }
  void begin_all() {
    for (std::uint64_t page = 0; page < pages_; ++page) pair_.begin(page);
  }
  void tell_all() {
    for (std::uint64_t page = 0; page < pages_; ++page) tell(page);
  }

 private:
  PartContext& context_;
  const PairPromise& stored_;
  const PairPromise stored_or_gone_{stored_.rule, stored_.clause, stored_.settle_ms, false, true};
  std::uint64_t pages_;
  PagePair pair_;
  std::array<std::uint64_t, kMaxPairPages> version_{};
};

void swap_off(PartContext& context) {
  if (swapoff(kSwapDevice) != 0) context.fail("swapoff %s: %s", kSwapDevice, std::strerror(errno));
}

void swap_on(PartContext& context) {
  if (swapon(kSwapDevice, 0) != 0) context.fail("swapon %s: %s", kSwapDevice, std::strerror(errno));
}

void protect(PartContext& context, char* at, int protection) {
  if (mprotect(at, kPageSize, protection) != 0) context.fail("mprotect: %s", std::strerror(errno));
}

/// MADV_FREE leaves an entry that may write writable: here it must not be.
void store_to_freed(PartContext& context, PrivatePages& pages) {
  if (mprotect(pages.at(0), pages.pages() * kPageSize, PROT_READ) != 0)
    context.fail("mprotect: %s", std::strerror(errno));
  pages.pair().run(1, Absence::no_entry, [&](std::uint64_t page) {
    pages.pair().begin(page);
    protect(context, pages.at(page), PROT_READ | PROT_WRITE);
    pages.store(page);
    pages.tell(page);
    pages.pair().begin(page);
    protect(context, pages.at(page), PROT_READ);
    advise(context, pages.at(page), kPageSize, MADV_FREE);
    pages.occasion();
    pages.tell_or_zeros(page);
  });
}

/// Swaps the range out and back in, read-only. With that swap is off.
void map_read_only(PartContext& context, char* at, std::uint64_t length) {
  advise(context, at, length, MADV_PAGEOUT);
  swap_off(context);
}

void store_after_swapoff(PartContext& context, PrivatePages& pages) {
  pages.pair().run(1, Absence::swap_entry, [&](std::uint64_t page) {
    pages.pair().begin(page);
    swap_off(context);
    pages.store(page);
    pages.tell(page);
    pages.pair().begin(page);
    swap_on(context);
    map_read_only(context, pages.at(page), kPageSize);
    pages.tell(page);
    swap_on(context);
    pages.occasion();
  });
}

class Merger {
 public:
  Merger(PartContext& context, PrivatePages& pages)
      : context_(context),
        pages_(pages),
        twins_(map_anonymous_pages(context, pages.pages())),
        table_(context, pages.at(0), pages.pages()),
        twin_table_(context, twins_, pages.pages()) {
    set("sleep_millisecs", "1");
    set("pages_to_scan", "1000");
    write_text("/sys/kernel/mm/ksm/smart_scan",
               "0");  // Linux 6.7: what was not merged at once is looked at ever more rarely
    for (char* range : {pages.at(0), twins_})
      advise(context, range, pages.pages() * kPageSize, MADV_MERGEABLE);
  }

  /// The page is to be one of its own again: without its twin the store need not copy it, and a copy flushes.
  void part(std::uint64_t page) {
    advise(context_, pages_.at(page), kPageSize, MADV_UNMERGEABLE);
    advise(context_, twins_ + page * kPageSize, kPageSize, MADV_DONTNEED);
    advise(context_, pages_.at(page), kPageSize, MADV_MERGEABLE);
  }

  /// Gives the page a twin, and waits until the kernel has made one of them. KSM rests at other times: each merge flushes.
  void merge(std::uint64_t page) {
    char* twin = twins_ + page * kPageSize;
    fill_page(twin, context_.owner(), page, pages_.version(page));
    set("run", "1");
    if (wait_for_merge(page, twin)) pages_.occasion();
    set("run", "0");
  }

 private:
  static constexpr unsigned kLooks = 100;

  bool wait_for_merge(std::uint64_t page, const char* twin) {
    for (unsigned look = 0; look < kLooks && !context_.stopping(); ++look) {
      sleep_ns(1'000'000);
      load_line(twin);  // reclaim may have taken it
      table_.refresh();
      twin_table_.refresh();
      if (table_.present(page) && twin_table_.present(page) && table_.frame(page) == twin_table_.frame(page))
        return true;
    }
    return false;
  }

  void set(const std::string& name, std::string_view value) {
    const std::string problem = write_text("/sys/kernel/mm/ksm/" + name, value);
    if (!problem.empty()) context_.fail("KSM: %s", problem.c_str());
  }

  PartContext& context_;
  PrivatePages& pages_;
  char* twins_;
  PageTableView table_;
  PageTableView twin_table_;
};

void store_to_merged(PartContext& context, PrivatePages& pages) {
  Merger merger(context, pages);
  pages.pair().run(1, Absence::swap_entry, [&](std::uint64_t page) {
    const bool alone = pages.version(page) % 2 == 0;
    pages.pair().begin(page);
    if (alone) merger.part(page);
    pages.store(page);
    pages.tell(page);
    merger.merge(page);
  });
}

constexpr std::uint64_t kHugeSize = 512 * kPageSize;

/// The region of a huge page, all its pages still small. Fills the first `pages`.
char* map_huge_region(PartContext& context, std::uint64_t pages) {
  void* at = mmap(nullptr, 2 * kHugeSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(at) + kHugeSize;
  char* region = reinterpret_cast<char*>(end - end % kHugeSize);
  for (std::uint64_t page = 0; page < pages; ++page)
    fill_page(region + page * kPageSize, context.owner(), page, 1);
  return region;
}

/// The last page of the region is written to first: the kernel does not collapse what has no entry that may write.
void store_to_collapsed(PartContext& context, PrivatePages& pages) {
  char* region = pages.at(0);
  pages.pair().run(1, Absence::swap_entry, [&](std::uint64_t page) {
    pages.begin_all();
    region[kHugeSize - 1] = 1;
    // Not while one of the pages is isolated, as by reclaim, nor when that has taken the last one again. Then a store would
    // take a fault, which is not what is looked at.
    if (madvise(region, kHugeSize, MADV_COLLAPSE) == 0) {
      pages.occasion();
      pages.store(page);
    } else if (errno != EAGAIN && errno != EBUSY && errno != EINVAL) {
      context.fail("MADV_COLLAPSE: %s", std::strerror(errno));
    }
    pages.tell_all();
    pages.begin_all();
    advise(context, region, kHugeSize, MADV_DONTNEED);
    pages.fill_all();
    map_read_only(context, region, pages.pages() * kPageSize);
    pages.tell_all();
    swap_on(context);
  });
}

}  // namespace

void run_private_stores(PartContext& context, std::string_view via, std::uint64_t pages,
                        const PairPromise& stored) {
  const bool collapse = via == "collapse";
  char* view = collapse ? map_huge_region(context, pages) : map_anonymous_pages(context, pages);
  static PrivatePages own(context, view, pages, stored);
  if (via == "free") store_to_freed(context, own);
  if (via == "swapoff") store_after_swapoff(context, own);
  if (via == "ksm") store_to_merged(context, own);
  if (collapse) store_to_collapsed(context, own);
}

}  // namespace luf::guest
