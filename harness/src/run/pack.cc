#include "run/pack.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// The first line of a pack names its format and the hash of the rest, a JSON object of file names and contents.
constexpr std::string_view kFormat = "lufbed-pack 1 ";
constexpr std::array kNeeded{"scenario.toml", "manifest.json", "verdict", "findings.json", "events.jsonl"};
constexpr std::array kFurther{"console.log", "metrics.json", "digest.json",
                              "repro",       "steer.json",   "machine.log"};

}  // namespace

Result<void> pack(const fs::path& run, const fs::path& file) {
  ordered_json files = ordered_json::object();
  for (const char* name : kNeeded) {
    const Result<std::string> text = read_file(run / name);
    if (!text)
      return fail(Blame::kScenario, "{} is no run directory: {}", run.string(), text.error().message);
    files[name] = *text;
  }
  for (const char* name : kFurther)
    if (const Result<std::string> text = read_file(run / name)) files[name] = *text;
  // A console may hold any bytes; nothing that is compared is changed by this.
  const std::string content = files.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return write_file(file, fmt::format("{}{}\n{}\n", kFormat, sha256(content), content));
}

Result<void> unpack(const fs::path& file, const fs::path& directory) {
  const Result<std::string> text = read_file(file);
  if (!text) return fail(Blame::kScenario, "{}", text.error().message);
  const std::size_t end = text->find('\n');
  if (!text->starts_with(kFormat) || end == std::string::npos)
    return fail(Blame::kScenario, "{} is no pack; `lufbed pack` makes one", file.string());
  const std::string hash = text->substr(kFormat.size(), end - kFormat.size());
  std::string content = text->substr(end + 1);
  if (content.ends_with('\n')) content.pop_back();
  const ordered_json files = ordered_json::parse(content, nullptr, false);
  if (sha256(content) != hash || !files.is_object())
    return fail(Blame::kScenario, "{} is damaged: its content is not what was packed; get it again",
                file.string());
  for (const auto& [name, value] : files.items()) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == ".." ||
        !value.is_string())
      return fail(Blame::kScenario, "{} is damaged: it holds a file named \"{}\"", file.string(), name);
  }
  for (const auto& [name, value] : files.items()) {
    const Result<void> written = write_file(directory / name, value.get<std::string>());
    if (!written) return written;
  }
  return {};
}

}  // namespace luf::run
