// A debugger at the moment of a violation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/repro.h"

namespace luf::run {

/// What the user wants to see.
struct DebugSession {
  std::uint64_t before = 0;           ///< instructions, of all virtual CPUs together, before the violation
  bool batch = false;                 ///< run `commands` and end, without a terminal
  std::vector<std::string> commands;  ///< for gdb
  unsigned cpu = 0;                   ///< where the violation was seen; found out by `debug`
};

/// Repeats a deterministic run to the instruction at which a detector had seen its first violation, or so many
/// before, and hands the terminal to gdb, with the symbols of kernel and guest program and a thread for each virtual
/// CPU. Runs the guest twice: to count, and to stop. Blocks the io_context while gdb runs. Returns gdb's exit status.
/// Errors: infra, also when the run has no violation that a detector of the guest told, or does not repeat.
Task<Result<int>> debug(const Environment& environment, const Ready& ready, const Recorded& recorded,
                        const DebugSession& session);

/// The words that start gdb. Pure.
std::vector<std::string> gdb_command(const std::filesystem::path& kernel, const std::filesystem::path& guest,
                                     const std::filesystem::path& socket, const DebugSession& session);

}  // namespace luf::run
