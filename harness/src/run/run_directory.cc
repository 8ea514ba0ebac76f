#include "run/run_directory.h"

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace luf::run {
namespace {

namespace fs = std::filesystem;

int next_number(const fs::path& parent) {
  int highest = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename();
    if (!name.empty() && name.size() < 9 && name.find_first_not_of("0123456789") == std::string::npos) {
      highest = std::max(highest, std::stoi(name));
    }
  }
  return highest + 1;
}

}  // namespace

Result<RunDirectory> RunDirectory::create(const fs::path& root, const std::string& scenario) {
  const fs::path parent = fs::absolute(root) / scenario;
  if (const Result<void> made = make_directories(parent); !made) return pass_on(made);
  for (int number = next_number(parent);; ++number) {
    const fs::path path = parent / std::to_string(number);
    std::error_code error;
    if (fs::create_directory(path, error)) {
      RunDirectory directory(path);
      if (const Result<void> written = directory.write_state("not started"); !written)
        return pass_on(written);
      return directory;
    }
    if (error)
      return fail(Blame::kInfra, "cannot create the run directory {}: {}", path.string(), error.message());
  }  // another lufbed took that number: try the next
}

Result<void> RunDirectory::write(std::string_view name, std::string_view content) const {
  return write_file(file(name), content);
}

Result<void> RunDirectory::write_state(std::string_view state) const {
  return write("verdict", nlohmann::ordered_json{{"verdict", state}}.dump(2) + "\n");
}

Result<void> RunDirectory::write_verdict(const judge::Verdict& verdict) const {
  nlohmann::ordered_json json{{"verdict", to_string(verdict.outcome)}, {"reason", verdict.reason}};
  if (verdict.blame) json["blame"] = to_string(*verdict.blame);
  json["phases"] = nlohmann::ordered_json::array();
  for (const judge::PhaseVerdict& phase : verdict.phases) {
    json["phases"].push_back(
        {{"phase", phase.phase}, {"verdict", to_string(phase.outcome)}, {"reason", phase.reason}});
  }
  json["notes"] = verdict.notes;
  return write("verdict", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::string scenario_name(const fs::path& file) {
  const fs::path plain = fs::absolute(file).lexically_normal().replace_extension();
  fs::path name = plain.filename();
  fs::path after;
  for (const fs::path& component : plain) {
    after = component == "scenarios" ? fs::path(".") : after.empty() ? fs::path() : after / component;
  }
  if (!after.empty() && after != ".") name = after.lexically_normal();
  return name.string();
}

}  // namespace luf::run
