// Campaign files: what to run, on which kernels, how often and for how long (docs/campaign.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace luf::scenario {

/// One column of the campaign: a kernel, and what is different about it.
struct CampaignKernel {
  std::string name;
  std::string path;           ///< a vmlinux or bzImage; one of path, variant and tree
  std::string variant;        ///< of the series
  std::string tree;           ///< a git tree
  std::string commit;         ///< of the tree
  std::string luf = "as-is";  ///< "on" or "off"; as-is: what the scenario says
  std::string append;         ///< further words of its command line
};

struct CampaignFile {
  std::string title;
  std::vector<std::string> scenarios;  ///< files and folders, relative to the campaign file
  std::vector<CampaignKernel> kernels;
  std::vector<std::string> points;  ///< sets of flush points; empty: as the scenarios say
  std::vector<std::int64_t> cpus;   ///< machine sizes; empty: as the scenarios say
  std::int64_t seeds = 1;
  std::int64_t first_seed = 1;
  std::int64_t repeats = 4;           ///< further runs of a case that was not green
  std::int64_t guests = 1;            ///< at a time
  std::optional<Nanoseconds> budget;  ///< host time; absent: none
};

/// Reads and checks; `file` names it in messages. Every defect is reported as "file:line: what; what to do", one a
/// line. Errors: scenario. Thread: any.
Result<CampaignFile> parse_campaign(std::string_view toml, const std::string& file);

/// Every key the parser knows, as docs/campaign.md writes it ("kernel.path").
std::vector<std::string> campaign_keys();

}  // namespace luf::scenario
