// How a scenario's schedule reaches luf-steer, the plugin that decides inside QEMU which virtual CPU runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "machine/qemu_command.h"
#include "run/settings.h"

namespace luf::run {

/// What luf-steer tells when QEMU ends.
struct Steered {
  std::uint64_t instructions = 0;  ///< executed by all virtual CPUs since the plugin was loaded
  std::uint64_t hits = 0;          ///< of scheduling points
  std::string order;               ///< a hash over which CPU hit which point, in their order
  std::uint64_t watched_at = 0;    ///< instructions executed when the watched address came first; 0: never
  unsigned watched_cpu = 0;        ///< where that was
};

/// Adds the plugin to `setup` when the scenario's schedule or `settings.stop` needs it; it reports to `report`. Errors:
/// scenario, e.g. a point that the kernel has no function of.
Result<void> add_steering(const Settings& settings, const scenario::Scenario& scenario,
                          const std::filesystem::path& report, machine::QemuSetup& setup);

/// Reads a report. Errors: infra.
Result<Steered> read_steered(const std::filesystem::path& report);

}  // namespace luf::run
