#include "run/cgroup.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace luf::run {
namespace {

namespace fs = std::filesystem;

/// The names under which a version keeps what both have.
struct MemoryFiles {
  std::vector<const char*> limits;
  const char* used;
  const char* cache;  ///< of `used`, file pages that the kernel gives up first; a line of memory.stat
};
const MemoryFiles kMemory1{{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"};
const MemoryFiles kMemory2{{"memory.max", "memory.high"}, "memory.current", "inactive_file"};

/// A mounted hierarchy of groups.
struct Mount {
  bool unified = false;  ///< version 2
  std::string options;   ///< of version 1: its controllers
  fs::path root;         ///< the group that is mounted
  fs::path point;
};

/// Whether a comma-separated list has this word.
bool has_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string each; std::getline(words, each, ',');)
    if (each == word) return true;
  return false;
}

/// A path of mountinfo: a blank, for instance, is written \040 there.
std::string unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char code = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '\\' && text.size() - i > 3 &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<Mount> mounts(const fs::path& root) {
  std::vector<Mount> found;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word, type, source, group, point;
    Mount mount;
    words >> word >> word >> word >> group >> point;
    mount.root = unescape(group);
    mount.point = unescape(point);
    while (words >> word && word != "-") {
    }
    words >> type >> source >> mount.options;
    mount.unified = type == "cgroup2";
    if (mount.unified || type == "cgroup") found.push_back(std::move(mount));
  }
  return found;
}

/// The directories of the own group `name` and of those above it, as far as the mount shows them; none when it shows others.
/// Both names are those of the own namespace, with a ".." for each group above it.
std::vector<fs::path> own_groups(const fs::path& root, const Mount& mount, const fs::path& name) {
  auto [own, mounted] = std::mismatch(name.begin(), name.end(), mount.root.begin(), mount.root.end());
  const bool above = mounted != mount.root.end();  // then the way down from there is not known
  const auto up = [](const fs::path& part) { return part == ".."; };
  if (!std::all_of(mounted, mount.root.end(), up) || std::any_of(own, name.end(), up)) return {};
  fs::path group = root / mount.point.relative_path();
  std::vector<fs::path> groups{group};
  for (; !above && own != name.end(); ++own) groups.push_back(group /= *own);
  return groups;
}

/// The number a file begins with; none when there is no such file, or it says "max".
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

std::uint64_t line_of(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  for (std::string name; file >> name >> number;)
    if (name == key) return number;
  return 0;
}

void limit_cpus(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period, Allowance& left) {
  if (!quota || !period || *period == 0) return;
  left.cpus = std::min(left.cpus, std::max<std::size_t>(*quota / *period, 1));
}

void limit_memory(const fs::path& group, const MemoryFiles& files, Allowance& left) {
  const std::uint64_t cache = line_of(group / "memory.stat", files.cache);
  const std::uint64_t charged = number_in(group / files.used).value_or(0);
  const std::uint64_t used = charged - std::min(charged, cache);
  for (const char* name : files.limits) {
    const std::optional<std::uint64_t> limit = number_in(group / name);
    if (limit) left.memory = std::min(left.memory, *limit - std::min(*limit, used));
  }
}

void limit_unified(const fs::path& group, Allowance& left) {
  std::ifstream file(group / "cpu.max");
  std::uint64_t quota = 0;
  std::uint64_t period = 0;
  if (file >> quota >> period) limit_cpus(quota, period, left);
  limit_memory(group, kMemory2, left);
}

}  // namespace

Allowance cgroup_allowance(const fs::path& root) {
  Allowance left;
  const std::vector<Mount> all = mounts(root);
  std::ifstream file(root / "proc/self/cgroup");
  std::string id, controllers, name;
  while (std::getline(file, id, ':') && std::getline(file, controllers, ':') && std::getline(file, name)) {
    for (const Mount& mount : all) {
      if (mount.unified != controllers.empty()) continue;
      const auto governs = [&](std::string_view what) {
        return has_word(controllers, what) && has_word(mount.options, what);
      };
      for (const fs::path& group : own_groups(root, mount, name)) {
        if (mount.unified) limit_unified(group, left);
        // Without a limit the quota is -1, which reads as more than any host has.
        if (governs("cpu"))
          limit_cpus(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us"), left);
        if (governs("memory")) limit_memory(group, kMemory1, left);
      }
    }
  }
  return left;
}

}  // namespace luf::run
