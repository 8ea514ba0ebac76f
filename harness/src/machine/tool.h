// Runs a program to its end and collects what it prints.
#pragma once

#include <string>
#include <vector>

#include "async/wake.h"
#include "base/result.h"

namespace luf::machine {

/// Runs `words` and returns what it printed. The program is killed at the deadline. Errors: infra when it
/// cannot start or fails (with its output), timeout.
Task<Result<std::string>> run_tool(std::vector<std::string> words, Clock& clock, TimePoint deadline);

/// The file that `program` means: itself when it names a place, else the first of that name in $PATH; `program` as it is
/// when there is none.
std::string program_path(const std::string& program);

}  // namespace luf::machine
