#include "run/digest.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace luf::run {
namespace {

constexpr std::size_t kShown = 160;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string shown(std::string_view line) {
  if (line.empty()) return "nothing";
  return std::string(line.substr(0, kShown)) + (line.size() > kShown ? "..." : "");
}

}  // namespace

std::string Digest::whole() const { return sha256(events + console + state); }

Digest digest_of(std::string_view events, std::string_view console, std::string_view state) {
  return {sha256(events), sha256(console), state.empty() ? "" : sha256(state)};
}

std::string to_json(const Digest& digest) {
  return nlohmann::ordered_json{{"digest", digest.whole()},
                                {"events", digest.events},
                                {"console", digest.console},
                                {"state", digest.state}}
             .dump(2) +
         "\n";
}

Result<Digest> digest_in(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "digest.json";
  const Result<std::string> text = read_file(file);
  if (!text)
    return fail(Blame::kScenario, "{} is missing: the run was not deterministic, or did not end",
                file.string());
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return fail(Blame::kScenario, "{} is damaged: no JSON object", file.string());
  return Digest{json.value("events", ""), json.value("console", ""), json.value("state", "")};
}

std::string first_difference(std::string_view first, std::string_view second) {
  for (std::size_t number = 0; !first.empty() || !second.empty(); ++number) {
    const std::string_view one = take_line(first);
    const std::string_view other = take_line(second);
    if (one != other) return fmt::format("event {} was {}, now it is {}", number, shown(one), shown(other));
  }
  return {};
}

}  // namespace luf::run
