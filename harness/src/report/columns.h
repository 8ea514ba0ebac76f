// Tables for a terminal.
#pragma once

#include <string>
#include <vector>

namespace luf::report {

using Row = std::vector<std::string>;

/// Rows of equal length, the first of them the head, as columns. Width counts characters, not bytes.
std::string columns(const std::vector<Row>& rows);

}  // namespace luf::report
