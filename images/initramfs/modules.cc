#include "modules.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

namespace luf::initramfs {

std::string module_name(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  if (slash != std::string_view::npos) file.remove_prefix(slash + 1);
  std::string name(file.substr(0, file.find(".ko")));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Result<ModuleIndex> read_module_index(const std::string& directory) {
  auto dep = read_file(directory + "/modules.dep");
  if (!dep) return tl::unexpected(dep.error());
  const auto optional = [&](const char* name) { return read_file(directory + "/" + name).value_or(""); };
  return ModuleIndex{*dep, optional("modules.builtin"), optional("modules.softdep"),
                     optional("modules.alias")};
}

namespace {

struct Module {
  std::string file;
  std::vector<std::string> depends;  ///< files, as modules.dep has them: the last is loaded first
};

class Closure {
 public:
  explicit Closure(const ModuleIndex& index) {
    read_dep(index.dep);
    read_builtin(index.builtin);
    read_softdep(index.softdep);
    read_alias(index.alias);
  }

  bool knows(const std::string& name) const { return modules_.contains(name) || builtin_.contains(name); }

  void add(const std::string& name) {
    const auto found = modules_.find(name);
    if (builtin_.contains(name) || found == modules_.end() || !visited_.insert(name).second) return;
    for (const std::string& soft : soft_[name]) add(resolve(soft));
    const auto& depends = found->second.depends;
    for (auto file = depends.rbegin(); file != depends.rend(); ++file) add(module_name(*file));
    order_.push_back(found->second.file);
  }

  std::vector<std::string> take() && { return std::move(order_); }

 private:
  void read_dep(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos) continue;
      std::istringstream words(line.substr(colon + 1));
      Module module{line.substr(0, colon), {}};
      for (std::string word; words >> word;) module.depends.push_back(word);
      const std::string name = module_name(module.file);
      modules_.emplace(name, std::move(module));
    }
  }

  void read_builtin(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) builtin_.insert(module_name(line));
  }

  /// "softdep NAME pre: A B post: C"
  void read_softdep(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string keyword;
      std::string name;
      if (!(words >> keyword >> name) || keyword != "softdep") continue;
      bool before = false;
      for (std::string word; words >> word;) {
        if (word.ends_with(':')) {
          before = word == "pre:";
        } else if (before) {
          soft_[module_name(name)].push_back(module_name(word));
        }
      }
    }
  }

  /// "alias PATTERN NAME"; patterns with wildcards are for devices, not for us.
  void read_alias(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string keyword;
      std::string pattern;
      std::string name;
      if (!(words >> keyword >> pattern >> name) || keyword != "alias" ||
          pattern.find('*') != std::string::npos)
        continue;
      aliases_.emplace(module_name(pattern), module_name(name));
    }
  }

  /// An alias may have several owners: the generic one runs on every CPU.
  std::string resolve(const std::string& name) const {
    if (knows(name)) return name;
    std::string chosen;
    const auto [first, last] = aliases_.equal_range(name);
    for (auto alias = first; alias != last; ++alias) {
      if (chosen.empty() || alias->second.ends_with("_generic")) chosen = alias->second;
    }
    return chosen;
  }

  std::map<std::string, Module> modules_;
  std::set<std::string> builtin_;
  std::map<std::string, std::vector<std::string>> soft_;
  std::multimap<std::string, std::string> aliases_;
  std::set<std::string> visited_;
  std::vector<std::string> order_;
};

}  // namespace

Result<std::vector<std::string>> module_closure(const ModuleIndex& index,
                                                const std::vector<std::string>& wanted) {
  Closure closure(index);
  for (const std::string& want : wanted) {
    const bool optional = want.starts_with('?');
    const std::string name = module_name(optional ? want.substr(1) : want);
    if (!closure.knows(name)) {
      if (optional) continue;
      return tl::unexpected(fmt::format("module {}: neither in modules.dep nor in modules.builtin", want));
    }
    closure.add(name);
  }
  return std::move(closure).take();
}

namespace {

Result<std::string> run_and_read(const char* program, const std::string& path) {
  int ends[2];
  if (pipe(ends) != 0) return tl::unexpected(fmt::format("pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::string name(program);
  std::string flags("-dc");
  std::string file(path);
  char* arguments[] = {name.data(), flags.data(), file.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string data;
  char buffer[1U << 16U];
  for (ssize_t got = 0; error == 0 && (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
    data.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  if (error != 0) return tl::unexpected(fmt::format("run {} on {}: {}", program, path, std::strerror(error)));
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) return tl::unexpected(fmt::format("{} could not decompress {}", program, path));
  return data;
}

}  // namespace

Result<std::string> read_module(const std::string& path) {
  if (path.ends_with(".xz")) return run_and_read("xz", path);
  if (path.ends_with(".zst")) return run_and_read("zstd", path);
  if (path.ends_with(".gz")) return run_and_read("gzip", path);
  return read_file(path);
}

}  // namespace luf::initramfs
