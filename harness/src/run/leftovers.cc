#include "run/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "base/scratch.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;

/// Of Scratch names in this program. "lufbed-" alone is that of a tool's output.
constexpr const char* kPrefixes[] = {"lufbed-",           "lufbed-bisect-", "lufbed-gdb-",  "lufbed-guest-",
                                     "lufbed-kselftest-", "lufbed-move-",   "lufbed-repro-"};
constexpr const char* kDriver = "lufbed-virt-";

/// Kills the QEMUs that the driver in `root` started: their monitor's files lie there.
void kill_guests_of(const fs::path& root, std::vector<std::string>& done) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1) continue;
    const std::string words = read_file(entry.path() / "cmdline").value_or("");
    if (words.find("qemu") == std::string::npos || words.find(root.string() + "/") == std::string::npos)
      continue;
    if (::kill(pid, SIGKILL) == 0)
      done.push_back(fmt::format("killed the guest {} that libvirt's embedded driver left", pid));
  }
}

/// Half-made templates are KEY.XXXXXX.
std::vector<std::string> half_made(const fs::path& templates) {
  std::vector<std::string> prefixes;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(templates, error)) {
    if (entry.path().has_extension()) prefixes.push_back(entry.path().stem().string() + ".");
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return prefixes;
}

}  // namespace

std::vector<std::string> clean_leftovers() {
  std::vector<std::string> done;
  std::vector<fs::path> removed;
  const auto note = [&removed](const std::vector<fs::path>& paths) {
    removed.insert(removed.end(), paths.begin(), paths.end());
  };
  std::error_code error;
  const fs::path scratch = fs::temp_directory_path(error);
  if (!error) {
    note(Scratch::sweep(scratch, kDriver, [&done](const fs::path& root) { kill_guests_of(root, done); }));
    for (const char* prefix : kPrefixes) note(Scratch::sweep(scratch, prefix));
  }
  const fs::path templates = cache_directory() / "template";
  for (const std::string& prefix : half_made(templates)) note(Scratch::sweep(templates, prefix));
  for (const fs::path& path : removed) done.push_back("removed " + path.string());
  return done;
}

}  // namespace luf::run
