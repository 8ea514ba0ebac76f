#include "machine/tool.h"

#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "async/task_group.h"
#include "base/file.h"
#include "base/scratch.h"
#include "machine/process.h"

namespace luf::machine {

Task<Result<std::string>> run_tool(std::vector<std::string> words, Clock& clock, TimePoint deadline) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const Result<Scratch> output = Scratch::file("lufbed-");
  if (!output) co_return pass_on(output);
  const Command command{words, output->path(), -1};
  Wake changed(executor, clock);
  Process process(executor);
  TaskGroup tasks(executor, clock);
  const Result<void> started = process.start(command);
  if (!started) co_return pass_on(started);
  tasks.start(process.watch(changed));
  while (!process.end() && clock.now() < deadline) co_await changed.wait_until(deadline);
  const bool late = !process.end();
  process.signal(SIGKILL);
  co_await tasks.join();
  Result<std::string> text = read_file(output->path());
  if (late) co_return fail(Blame::kTimeout, "{} did not end in time", words.front());
  if (text && process.end()->code != 0) co_return fail(Blame::kInfra, "{} failed: {}", words.front(), *text);
  co_return text;
}

std::string program_path(const std::string& program) {
  std::error_code error;
  if (program.find('/') != std::string::npos) return std::filesystem::absolute(program, error).string();
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return program;
}

}  // namespace luf::machine
