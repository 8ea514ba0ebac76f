// A file of self-describing pages on the guest's disk (/mnt), and read-only views of it.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <string>

#include "lib/page_pattern.h"
#include "lib/part_context.h"

namespace luf::guest {

/// Fills a page in a version, as fill_page() does.
using PageFiller = void (*)(void* page, std::uint64_t owner, std::uint64_t index, std::uint64_t version);

/// Writes a new file of `pages` pages in version 1 at `path`, or as /mnt/ID, and returns its path. The pages are on the
/// disk and dropped from the page cache when it returns, so whoever reads them first is charged for them. Fails the
/// part on an error.
std::string create_page_file(PartContext& context, std::uint64_t pages, std::string path = {},
                             PageFiller fill = fill_page);

/// The same in the first pages of a RAM disk that nobody else uses: a file that no file system sees.
std::string create_page_device(PartContext& context, std::uint64_t pages, PageFiller fill = fill_page);

/// The node of a RAM disk that only this part uses.
std::string spare_disk(const PartContext& context);

/// Opens it; fails the part on an error.
int open_page_file(PartContext& context, const std::string& path, int flags);

/// A shared read-only view through an O_RDONLY descriptor: the kernel can never make it writable. Random
/// access, so that every page stays a folio of its own. `protection` may add PROT_EXEC. Fails the part on an error.
const Line* map_page_file(PartContext& context, const std::string& path, std::uint64_t pages,
                          int protection = PROT_READ);

/// The lines of page `page` in a view.
inline const Line* page_lines(const Line* view, std::uint64_t page) { return view + page * kLinesPerPage; }

}  // namespace luf::guest
