// The files that make a run repeatable and its results readable by programs.
#pragma once

#include <string>
#include <vector>

#include "guest/event.h"
#include "machine/qemu_command.h"
#include "report/summary.h"
#include "run/accel.h"
#include "run/settings.h"

namespace luf::run {

/// All that went into a run.
struct Manifest {
  std::string scenario;
  std::filesystem::path file;
  std::int64_t seed = 0;
  artifact::Kernel kernel;
  artifact::Image image;
  std::string qemu_version;
  std::string accel;
  std::string accel_why;
  std::string kernel_cmdline;
  std::string command_line;
  std::string machine;  ///< "qemu" or "libvirt"
  std::string connect;  ///< libvirt's URI; empty: none, or the embedded driver
  std::string append;   ///< further kernel words of the call
  bool cloned = false;  ///< from a template, not booted
};

Manifest make_manifest(const Settings& settings, const Job& job, const machine::QemuSetup& setup,
                       const AccelChoice& accel, std::string qemu_version);

/// manifest.json
std::string to_json(const Manifest& manifest);

/// The command that runs the same again: same kernel, image, seed and acceleration.
std::string repro_line(const Settings& settings, const Job& job, const Manifest& manifest);

/// Names a violation across runs that differ in their course: by rule and detector.
std::string fingerprint(const guest::Event& finding);
std::string fingerprint(const std::string& rule, const std::string& part);

/// The event stream of a run directory, up to where it is damaged. Errors: infra.
Result<std::vector<guest::Event>> events_in(const std::filesystem::path& directory);

/// The findings in it. Errors: infra.
Result<std::vector<guest::Event>> findings_in(const std::filesystem::path& directory);

/// findings.json: every finding that was sent, with its fingerprint.
std::string findings_json(const std::vector<guest::Event>& events);

/// metrics.json: counters by name, prefixed `lufbed_`.
std::string metrics_json(const report::Summary& summary);

}  // namespace luf::run
