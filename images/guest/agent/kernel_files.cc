#include "agent/kernel_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "protocol/luf_sysfs.h"

namespace luf::guest {

std::string read_text(const std::string& path, std::size_t at_once) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[kAtOnce];
  for (ssize_t got = 0; (got = read(fd, buffer, std::min(at_once, sizeof(buffer)))) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  close(fd);
  return text;
}

std::string write_text(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return "open " + path + ": " + std::strerror(errno);
  const ssize_t written = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  if (written < 0) return "write \"" + std::string(text) + "\" to " + path + ": " + std::strerror(error);
  if (static_cast<std::size_t>(written) != text.size())
    return "write \"" + std::string(text) + "\" to " + path + ": cut short";
  return {};
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

namespace {

/// A look at all interrupts is 140,000 instructions, and the kernel does not let go of the CPU in one read(). With icount that is
/// ten milliseconds, in which no age is kept.
constexpr std::size_t kInterruptsAtOnce = 64;

/// Takes the next word off `text`; empty at its end.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

bool parse_number(std::string_view word, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

template <typename Function>
void for_each_line(std::string_view text, Function function) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    function(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

}  // namespace

Counters parse_counters(std::string_view text) {
  Counters counters;
  for_each_line(text, [&](std::string_view line) {
    const std::string_view name = next_word(line);
    std::uint64_t value = 0;
    if (!name.empty() && parse_number(next_word(line), value)) counters.emplace(name, value);
  });
  return counters;
}

std::uint64_t parse_tlb_interrupts(std::string_view text) {
  std::uint64_t sum = 0;
  for_each_line(text, [&](std::string_view line) {
    if (next_word(line) != "TLB:") return;
    for (std::uint64_t value = 0; parse_number(next_word(line), value);) sum += value;
  });
  return sum;
}

Counters read_counters() {
  Counters counters = parse_counters(read_text("/proc/vmstat"));
  for (const char* file : {"counters", "check"})
    counters.merge(parse_counters(read_text(std::string("/sys/kernel/debug/luf/") + file)));
  for (const auto& [file, prefix] :
       {std::pair{"deferral_age_us", "luf_hist_age_us_"}, std::pair{"flush_us", "luf_hist_flush_us_"}}) {
    for (const auto& [bound, count] : parse_counters(read_text(std::string("/sys/kernel/debug/luf/") + file)))
      counters[prefix + bound] = count;
  }
  for (const std::string_view name : protocol::kDelays) {
    const std::string fired =
        read_text(std::string(protocol::kLufDelayDir) + "/" + std::string(name) + "/fired");
    std::uint64_t value = 0;
    if (parse_number(fired.substr(0, fired.find('\n')), value))
      counters["luf_window_" + std::string(name)] = value;
  }
  counters["ipi_tlb"] = parse_tlb_interrupts(read_text("/proc/interrupts", kInterruptsAtOnce));
  return counters;
}

Counters increase(const Counters& before, const Counters& after) {
  Counters moved;
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    const std::uint64_t start = old == before.end() ? 0 : old->second;
    if (value > start) moved.emplace(name, value - start);
  }
  return moved;
}

}  // namespace luf::guest
