// Watching versions: a writer makes a new version of a page, the promise point passes, it publishes the
// version; a reader that has seen the publication must not read an older one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/page_file.h"

namespace luf::guest {

inline constexpr std::uint64_t kMaxWatchedPages = 60;

/// Shared between the writer and the readers. Writer: store (release) after the promise point. Reader: load
/// (acquire) before it looks at the page.
struct CommittedVersions {
  std::array<std::atomic<std::uint64_t>, kMaxWatchedPages> version;
};

/// Maps the table where forked processes share it, every page in version 1. Fails the part on an error.
CommittedVersions* map_committed_versions(PartContext& context, std::uint64_t pages);

/// Where a line is, and how it is read.
struct LinePlace {
  std::uint64_t page;
  std::uint64_t line;
  const Line* at;
};
/// Returns what is there, as a Line: one that is not at its place was somebody else's, one whose checksum is wrong says
/// nothing. By a load, or by another means that uses the reader's translation.
using LineReader = Line (*)(PartContext& context, const LinePlace& place);
inline Line read_by_load(PartContext&, const LinePlace& place) { return load_line(place.at); }

/// What a detector of old data watches.
struct VersionWatch {
  std::string_view rule;     ///< broken when an old version is read
  std::string_view promise;  ///< what had passed, as a clause: "pwrite() had returned"
  const Line* view;          ///< the reader's own mapping
  std::uint64_t pages;
  CommittedVersions* committed;
  /// Ticks (about milliseconds of CPU 0) for which the old data must stay readable, besides the time until
  /// all injectors' calls under way have returned (lib/unmappers.h): for unmappers that are no injectors, as
  /// kswapd.
  std::uint64_t settle_ticks;
  std::atomic<std::uint64_t>* brief;  ///< counts old data that was gone before that
  LineReader read;
};

/// Spins over all pages until the phase stops. No system call, no fault but a refault.
void watch_versions(PartContext& context, const VersionWatch& watch);

/// Makes new versions of the pages of the file `path` until the phase stops, and publishes each.
using VersionWriter = void (*)(PartContext& context, const std::string& path, std::uint64_t pages,
                               CommittedVersions& committed);

/// A detector of old data; `rule` and `promise` as in VersionWatch.
struct VersionTest {
  std::string_view rule;
  std::string_view promise;
  VersionWriter write;
  LineReader read = read_by_load;
  int protection = PROT_READ;  ///< of the reader's mapping
};

/// The whole of a detector of old data with the parameters `pages` and `settle`, on the file at `path`: one reader that
/// watches, one writer, each in a process and on a CPU of its own.
void run_version_watch(PartContext& context, const std::string& path, const VersionTest& test);

}  // namespace luf::guest
