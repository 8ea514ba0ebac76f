#include "base/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace luf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kDurationUnits{
    {{"min", 60'000'000'000}, {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"B", 1}}};

Result<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, std::string_view what,
                            std::string_view example) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return fail(Blame::kScenario, "\"{}\" is not a {}; write a whole number and a unit, e.g. \"{}\"", text,
                what, example);
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / known.factor) {
      return fail(Blame::kScenario, "\"{}\" is too large for a {}", text, what);
    }
    return number * known.factor;
  }
  std::string names;
  for (const Unit& known : units) names = fmt::format("{}{}{}", known.name, names.empty() ? "" : ", ", names);
  if (unit.empty()) return fail(Blame::kScenario, "\"{}\" has no unit; append one of {}", text, names);
  return fail(Blame::kScenario, "\"{}\" has the unknown unit \"{}\"; use one of {}", text, unit, names);
}

std::string format(std::uint64_t value, std::span<const Unit> units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return {};  // not reached: the last factor is 1
}

}  // namespace

Result<Nanoseconds> parse_duration(std::string_view text) {
  return parse(text, kDurationUnits, "duration", "30s").map([](std::uint64_t value) {
    return Nanoseconds(static_cast<std::int64_t>(value));
  });
}

Result<std::uint64_t> parse_size(std::string_view text) { return parse(text, kSizeUnits, "size", "512MiB"); }

std::string format_duration(Nanoseconds value) {
  return format(static_cast<std::uint64_t>(value.count()), kDurationUnits, "0s");
}

std::string format_size(std::uint64_t bytes) { return format(bytes, kSizeUnits, "0B"); }

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ' ');
  return digits;
}

}  // namespace luf
