// Who saw a planted fault: the detectors, the kernel's own checks and the oracle, each for itself.
#pragma once

#include <string>
#include <vector>

#include "report/matrix.h"

namespace luf::report {

/// What each of the three said, in one phase of one guest: the rules of what it reported. "R8"; "" when it was silent.
struct Testimony {
  std::string detectors;
  std::string kernel;  ///< tlb_check, and the agent's reading of the kernel's accounts
  std::string oracle;
};

/// A fault in a scenario, or no fault in all of them (`fault` empty), over all seeds.
struct Agreement {
  std::string fault;
  std::string scenario;
  std::string expected;  ///< rule
  std::vector<Testimony> guests;
};

/// Guests that did not reach a phase's end have no say on it. What the oracle saw outside of the phases counts as seen in the
/// first, which is silent.
std::vector<Agreement> agreements(const std::vector<MatrixGuest>& guests);

/// Guests whose silence says nothing, a sentence each: the oracle left no whole report, a phase did not end or was not to
/// be judged, or the run failed beside its phases.
std::vector<std::string> unheard(const std::vector<MatrixGuest>& guests);

std::string to_table(const std::vector<Agreement>& agreements);
std::string to_json(const std::vector<Agreement>& agreements, const std::string& provenance,
                    const std::vector<std::string>& unheard = {});

/// 0: each fault was seen by somebody in each guest, and nobody saw anything without one; 1: not so; 3: there is nothing
/// to compare, or somebody is unheard.
int exit_code(const std::vector<Agreement>& agreements, const std::vector<std::string>& unheard = {});

}  // namespace luf::report
