// TCG or KVM: decided by booting, not by asking.
#pragma once

#include <string>

#include "machine/qemu_command.h"
#include "run/settings.h"

namespace luf::run {

/// An answer and where it comes from, e.g. "kvm: no /dev/kvm".
struct AccelChoice {
  machine::Accel accel = machine::Accel::kTcg;
  std::string why;
};

/// What a deterministic guest runs on.
inline AccelChoice deterministic_choice() { return {machine::Accel::kTcg, "deterministic"}; }

/// Whether KVM works here. /dev/kvm may exist, answer, and still hang a guest; so a guest is booted to its
/// first event within 10 s. The answer is kept in the cache, by host boot, CPU model, QEMU version and the
/// device's own time stamp; `again` does not use it. Errors: cancelled; never for a KVM that does not work.
Task<Result<AccelChoice>> probe_kvm(const Environment& environment, const Settings& settings,
                                    std::string qemu_version, bool again);

/// "QEMU emulator version ..." of the configured QEMU. Errors: infra, e.g. when it is missing.
Task<Result<std::string>> qemu_version(const Environment& environment, const std::string& qemu);

}  // namespace luf::run
