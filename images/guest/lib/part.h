// What a part is: a workload, an injector or a detector. One file defines one Part, named as the file:
//   namespace luf::guest { extern const Part foreign_content{...}; }
// CMake makes the table from the file names; a name that does not match fails at link.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace luf::guest {

class PartContext;
struct ParamValues;

enum class PartKind { workload, injector, detector };
enum class ParamType { count, duration, size, choice, text, program };

/// "workload", "injector", "detector".
std::string_view kind_name(PartKind kind);
/// "count", "duration", "size", "choice", "text", "program" (a text, protocol/litmus_parse.h).
std::string_view type_name(ParamType type);

/// A parameter as --describe prints it. Durations are nanoseconds, sizes bytes.
struct Param {
  std::string_view name;
  ParamType type;
  std::uint64_t default_number = 0;  ///< all but choice
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::string_view default_choice = {};  ///< of a choice or a text
  std::span<const std::string_view> choices = {};
  std::string_view summary;
  /// Those of `choices` that have the part's pages in memory which is reclaimed by swapping.
  std::span<const std::string_view> swapped = {};
};

struct Part {
  PartKind kind;
  std::string_view name;
  std::string_view summary;                      ///< one line
  std::span<const std::string_view> rules = {};  ///< of docs/contract.md; detectors only
  std::span<const Param> params = {};
  bool needs_disk = false;           ///< a file system at /mnt whose pages can be reclaimed
  bool needs_swap = false;           ///< somewhere to put anonymous pages
  const char* needs_file = nullptr;  ///< of the kernel; without it there is nothing to do
  /// What else this machine lacks for it with these parameters, and what to do; empty: nothing.
  std::string (*lacks)(const ParamValues& params) = nullptr;
  bool ends_by_itself = false;  ///< it may be over before the phase is
  unsigned min_nodes = 1;
  unsigned min_cpus = 2;
  /// Runs in a process of its own, returns when the context says so. Sets up, calls wait_for_start(), acts.
  void (*run)(PartContext& context);
};

/// All parts, in the order of kinds and file names (generated).
std::span<const Part* const> part_table();
/// nullptr: there is none.
const Part* find_part(std::string_view kind, std::string_view name);

}  // namespace luf::guest
