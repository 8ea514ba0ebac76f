#include "scenario/campaign_file.h"

#include <algorithm>
#include <limits>
#include <set>

#include "protocol/luf_sysfs.h"
#include "scenario/toml_reader.h"

namespace luf::scenario {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMonth = 31 * 86'400 * kSecond;
constexpr std::int64_t kMostSeeds = 1'000'000;

void read_kernel(const toml::table& table, ReadLog& log, CampaignKernel& kernel) {
  TomlReader reader(table, "kernel.", log);
  reader.required_text("name", kernel.name);
  reader.text("path", kernel.path);
  reader.text("variant", kernel.variant);
  reader.text("tree", kernel.tree);
  reader.text("commit", kernel.commit);
  reader.text("append", kernel.append);
  reader.choice("luf", kernel.luf, {"as-is", "on", "off"});
  reader.finish();
  if (int{!kernel.path.empty()} + int{!kernel.variant.empty()} + int{!kernel.tree.empty()} != 1)
    log.defect(
        table,
        "a kernel has either \"kernel.path\" or \"kernel.variant\" or \"kernel.tree\"; set one of them");
  if (kernel.tree.empty() != kernel.commit.empty())
    log.defect(table, "\"kernel.tree\" and \"kernel.commit\" go together; set both or none");
}

void read_document(const toml::table& document, ReadLog& log, CampaignFile& file) {
  TomlReader root(document, "", log);
  root.required_text("title", file.title);
  root.texts("scenarios", file.scenarios, {});
  if (file.scenarios.empty()) log.defect(document, "no scenarios; add e.g. scenarios = [\"smoke\"]");
  root.texts("points", file.points, {protocol::kPointSets.begin(), protocol::kPointSets.end()});
  root.numbers("cpus", file.cpus, {2, 16});
  root.count("seeds", file.seeds, {1, kMostSeeds});
  root.count("first_seed", file.first_seed, {0, std::numeric_limits<std::int64_t>::max() - kMostSeeds});
  root.count("repeats", file.repeats, {0, 1000});
  root.count("guests", file.guests, {1, 64});
  root.duration("budget", file.budget, {kSecond, kMonth});
  const std::vector<const toml::table*> kernels = root.tables("kernel");
  std::set<std::string> names;
  for (const toml::table* table : kernels) {
    CampaignKernel& kernel = file.kernels.emplace_back();
    read_kernel(*table, log, kernel);
    if (!names.insert(kernel.name).second)
      log.defect(*table, fmt::format("two kernels have the name \"{}\"; rename one", kernel.name));
  }
  if (kernels.empty())
    log.defect(document, "no kernel; add a table [[kernel]] with name and variant, e.g. variant = \"luf\"");
  root.finish();
}

}  // namespace

Result<CampaignFile> parse_campaign(std::string_view text, const std::string& file) {
  ReadLog log{file, {}, {}};
  CampaignFile campaign;
  try {
    read_document(toml::parse(text, file), log, campaign);
  } catch (const toml::parse_error& error) {
    return fail(Blame::kScenario, "{}:{}: {}", file, error.source().begin.line, error.description());
  }
  if (!log.defects.empty()) return fail(Blame::kScenario, "{}", fmt::join(log.defects, "\n"));
  return campaign;
}

std::vector<std::string> campaign_keys() {
  ReadLog log;
  CampaignFile file;
  const toml::table document = toml::parse("[[kernel]]\n");
  read_document(document, log, file);
  std::sort(log.keys.begin(), log.keys.end());
  log.keys.erase(std::unique(log.keys.begin(), log.keys.end()), log.keys.end());
  return log.keys;
}

}  // namespace luf::scenario
