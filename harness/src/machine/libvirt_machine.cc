#include "machine/libvirt_machine.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/domain_xml.h"
#include "machine/monitor_event.h"
#include "machine/tool.h"

namespace luf::machine {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kDestroyPatience{60000};  // libvirt itself waits 40 s between SIGTERM and giving up
constexpr milliseconds kEndPatience{5000};

/// One for every guest of this program.
std::string next_name() {
  static unsigned count = 0;
  return fmt::format("lufbed-{}-{}", ::getpid(), ++count);
}

/// A domain for the time of one call. Thread: the worker's.
class Domain {
 public:
  Domain(virConnectPtr connection, const std::string& name)
      : domain_(::virDomainLookupByName(connection, name.c_str())) {}
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;
  ~Domain() {
    if (domain_ != nullptr) ::virDomainFree(domain_);
  }
  virDomainPtr get() const { return domain_; }

 private:
  virDomainPtr domain_;
};

/// The process that a thread of this host belongs to, or -1.
pid_t process_of(pid_t thread) {
  const std::string status = read_file(fmt::format("/proc/{}/status", thread)).value_or("");
  const std::size_t at = status.find("\nTgid:");
  return at == std::string::npos ? -1 : std::atoi(status.c_str() + at + 6);
}

}  // namespace

LibvirtMachine::LibvirtMachine(LibvirtHost& host, Clock& clock, Wake& changed, QemuSetup setup)
    : host_(host), clock_(clock), changed_(changed), setup_(std::move(setup)), name_(next_name()) {}

std::string LibvirtMachine::command_line() const {
  return domain_xml(setup_, {name_, program_path(setup_.qemu), host_.owner()});
}

void LibvirtMachine::on_event(const std::string& name, const nlohmann::json& data) {
  if (name == LibvirtHost::kGone) {
    state_.ended = true;
  } else {
    take_monitor_event(name, data, state_);
  }
  changed_.notify();
}

Task<Result<void>> LibvirtMachine::start(TimePoint deadline) {
  host_.watch(name_, [this](const std::string& name, const nlohmann::json& data) { on_event(name, data); });
  // The embedded driver knows no autodestroy; stop() has to do, and for a killed lufbed the next one (run/leftovers.h).
  const unsigned flags = host_.embedded() ? 0 : VIR_DOMAIN_START_AUTODESTROY;
  const LibvirtHost::Call create = [xml = command_line(),
                                    flags](_virConnect* connection) -> Result<std::string> {
    const virDomainPtr domain = ::virDomainCreateXML(connection, xml.c_str(), flags);
    if (domain == nullptr) return libvirt_error("libvirt did not start the guest");
    ::virDomainFree(domain);
    return std::string();
  };
  created_ = true;  // also when the answer comes too late
  const Result<std::string> made = co_await host_.call(create, deadline);
  if (!made) {
    created_ = made.error().blame == Blame::kTimeout;
    co_return pass_on(made);
  }
  state_.log.push_back(fmt::format("started the domain {} at {}", name_, host_.uri()));
  co_await learn_process(deadline);
  co_return Result<void>();
}

Task<void> LibvirtMachine::learn_process(TimePoint deadline) {
  const Result<nlohmann::json> cpus = co_await monitor("query-cpus-fast", {}, deadline);
  if (!cpus || !cpus->is_array() || cpus->empty()) co_return;
  process_ = process_of(cpus->front().value("thread-id", -1));
}

Task<Result<nlohmann::json>> LibvirtMachine::monitor(std::string command, nlohmann::json arguments,
                                                     TimePoint deadline) {
  nlohmann::json message{{"execute", command}};
  if (!arguments.empty()) message["arguments"] = std::move(arguments);
  const std::string request = message.dump();
  const LibvirtHost::Call ask = [name = name_, command,
                                 request](_virConnect* connection) -> Result<std::string> {
    const Domain domain(connection, name);
    if (domain.get() == nullptr) return libvirt_error("libvirt has lost the guest");
    char* answer = nullptr;
    if (::virDomainQemuMonitorCommand(domain.get(), request.c_str(), &answer, 0) != 0)
      return libvirt_error(fmt::format("libvirt could not send \"{}\" to QEMU", command));
    const std::string text = answer;
    ::free(answer);
    return text;
  };
  const Result<std::string> text = co_await host_.call(ask, deadline);
  if (!text) co_return pass_on(text);
  const nlohmann::json answer = nlohmann::json::parse(*text, nullptr, false);
  if (!answer.is_object() || answer.contains("error"))
    co_return fail(Blame::kInfra, "QEMU refused \"{}\": {}", command, *text);
  co_return answer.value("return", nlohmann::json::object());
}

Task<bool> LibvirtMachine::answers(TimePoint deadline) {
  const Result<nlohmann::json> answer = co_await monitor("query-status", {}, deadline);
  co_return answer.has_value();
}

Task<bool> LibvirtMachine::ended_within(milliseconds patience) {
  const TimePoint deadline = clock_.now() + patience;
  while (!state_.ended && clock_.now() < deadline) co_await changed_.wait_until(deadline);
  co_return state_.ended;
}

Task<void> LibvirtMachine::stop(bool at_once) {
  state_.stop_asked = state_.stop_asked || !state_.ended;
  if (created_ && at_once && process_ > 0 && !state_.ended) {
    state_.log.emplace_back("sent SIGKILL");
    ::kill(process_, SIGKILL);
  }
  if (created_ && !state_.ended) {
    state_.log.emplace_back("asked libvirt to destroy the domain");
    const LibvirtHost::Call destroy = [name = name_](_virConnect* connection) -> Result<std::string> {
      const Domain domain(connection, name);
      // What is not there any more needs no end.
      if (domain.get() != nullptr && ::virDomainDestroy(domain.get()) != 0)
        return libvirt_error("libvirt could not destroy the domain " + name);
      return std::string();
    };
    const Result<std::string> destroyed = co_await host_.call(destroy, clock_.now() + kDestroyPatience);
    if (!destroyed) state_.log.push_back(destroyed.error().message);
    const bool gone = co_await ended_within(destroyed ? kEndPatience : milliseconds(0));
    if (!gone && process_ > 0 && ::kill(process_, SIGKILL) == 0) state_.log.emplace_back("sent SIGKILL");
  }
  created_ = false;
  host_.unwatch(name_);
}

}  // namespace luf::machine
