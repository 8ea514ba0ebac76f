// Booted guests that stand ready to be cloned: once for each kernel, image, QEMU and machine.
#pragma once

#include <filesystem>
#include <string>

#include "machine/qemu_command.h"
#include "run/settings.h"

namespace luf::run {

/// A guest that was stopped when it was ready for its plan, as files: RAM, devices, and what it had said by then. Clones
/// map the RAM copy-on-write; nobody writes to it.
struct Template {
  std::filesystem::path directory;
  std::filesystem::path state() const { return directory / "state.bin"; }
  std::filesystem::path events() const { return directory / "events.jsonl"; }
  std::filesystem::path console() const { return directory / "console.log"; }
};

/// Names all that a template's content depends on; equal names mean equal content, if the machine is deterministic.
std::string template_key(const Settings& settings, const machine::QemuSetup& setup,
                         const std::string& qemu_version);

/// The template for guests like `setup`: from the cache, or booted now, which takes as long as a cold boot. The cache
/// keeps the ones used last. Errors: infra, timeout, cancelled.
Task<Result<Template>> template_for(const Environment& environment, const Settings& settings,
                                    const machine::QemuSetup& setup, const std::string& qemu_version);

/// Makes a setup a clone of `from`, and puts what the template said by then in the clone's files. Errors: infra.
Result<void> clone_from(const Template& from, machine::QemuSetup& setup);

}  // namespace luf::run
