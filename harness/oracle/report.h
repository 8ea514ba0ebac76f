// What the oracle says at the end: a page of text, and JSON for `lufbed`.
#pragma once

#include <string>

#include "oracle.h"
#include "symbols.h"

namespace luf::oracle {

struct ReportSetup {
  std::string level;               ///< "violations" or "full"
  bool complete = false;           ///< QEMU ended in order
  bool single = false;             ///< virtual time is counted in instructions
  bool deferrals_visible = false;  ///< the kernel's deferrals are seen by symbol
  const Symbols* kernel = nullptr;
  const Symbols* program = nullptr;
};

std::string report_text(const ReportSetup& setup, const Oracle::Numbers& numbers, const Findings& findings,
                        const std::vector<Oracle::Unknown>& unknown);
std::string report_json(const ReportSetup& setup, const Oracle::Numbers& numbers, const Findings& findings);

}  // namespace luf::oracle
