// A run again, from what its directory says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run/digest.h"
#include "run/ready.h"

namespace luf::run {

/// What a run directory holds of a run that has ended.
struct Recorded {
  std::filesystem::path directory;
  Job job;
  std::string kernel_hash;
  std::filesystem::path kernel;  ///< where it was
  bool brought = false;          ///< by --kernel
  std::string image_sha256;
  std::string qemu_version;
  std::string append;
  std::string accel;
  bool cloned = false;
  std::string verdict;
  std::string events;
  std::vector<std::string> fingerprints;  ///< of its findings, in order
  std::optional<Digest> digest;           ///< of a deterministic run
};

/// Reads a run directory. Errors: scenario, one line that names the file: missing, damaged, or of a run that did not end.
Result<Recorded> read_run(const std::filesystem::path& directory, const scenario::Catalog& catalog);

/// `given` for that run: its kernel, found where it was, else the one given; cold or not. Errors: infra, when the
/// kernel, image or QEMU is another one: then nothing is run.
Result<Ready> ready_for(const Recorded& recorded, const Ready& given);

/// make_ready(), then ready_for(). Errors: theirs.
Task<Result<Ready>> ready_to_repeat(const Environment& environment, const Settings& given,
                                    const Recorded& recorded);

/// Whether `again` came to the same, and if not, where it parted.
struct Sameness {
  bool violation = false;  ///< the same findings by fingerprint, or none in both, and the same verdict
  bool exact = false;      ///< the same digest; for deterministic runs only
  std::string difference;  ///< one sentence; empty when all is the same
};
Sameness compare(const Recorded& first, const Recorded& again);

}  // namespace luf::run
