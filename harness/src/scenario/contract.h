// The contract's data (protocol/contract.h) joined with what watches it: detectors, and the scenarios that prove them.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace luf::scenario {

/// A scenario that proves detectors: silent first, then caught with a fault planted.
struct Proof {
  std::string name;  ///< e.g. "selftest/unmap"
  Scenario scenario;
};

/// The faults that this phase plants and its scenario does not have anyway, sorted: flush points passed without their
/// flush, and those of the kernel's debugfs.
std::vector<std::string> planted(const Scenario& scenario, const Phase& phase);

/// The same as one word: "age+drain+full"; "none" when nothing is planted.
std::string fault_name(const Scenario& scenario, const Phase& phase);

/// Every fault of the contract's data.
std::vector<std::string> fault_names();

/// Why nothing can show that fault, as the contract's data has it; empty: something must.
std::string why_it_survives(const std::string& fault);

/// The tables of docs/contract.md. Thread: any. Equal input gives equal text.
std::string contract_tables(const Catalog& catalog, const std::vector<Proof>& proofs);

/// Every entry that is not bound to the others, a sentence each: a rule that nothing watches or breaks, a fault that
/// nothing shows, a detector that no scenario proves, a proof without a silent phase or a minimum of activity, a reason
/// that no longer holds. Empty: all is bound.
std::vector<std::string> unbound_entries(const Catalog& catalog, const std::vector<Proof>& proofs);

}  // namespace luf::scenario
