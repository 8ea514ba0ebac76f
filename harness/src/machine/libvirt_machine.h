// A machine run by libvirt.
#pragma once

#include <sys/types.h>

#include "machine/libvirt_host.h"
#include "machine/machine.h"
#include "machine/qemu_command.h"

namespace luf::machine {

/// See Machine: a transient domain; one of a daemon is destroyed when the connection closes. The host, `clock` and `changed`
/// outlive it. Only for setups that domain_xml can say.
class LibvirtMachine : public Machine {
 public:
  LibvirtMachine(LibvirtHost& host, Clock& clock, Wake& changed, QemuSetup setup);

  Task<Result<void>> start(TimePoint deadline) override;
  const MachineState& state() const override { return state_; }
  Task<bool> answers(TimePoint deadline) override;
  Task<Result<nlohmann::json>> monitor(std::string command, nlohmann::json arguments,
                                       TimePoint deadline) override;
  Task<void> stop(bool at_once) override;
  /// The domain's XML.
  std::string command_line() const override;

 private:
  void on_event(const std::string& name, const nlohmann::json& data);
  Task<void> learn_process(TimePoint deadline);
  Task<bool> ended_within(std::chrono::milliseconds patience);
  LibvirtHost& host_;
  Clock& clock_;
  Wake& changed_;
  QemuSetup setup_;
  std::string name_;
  MachineState state_;
  bool created_ = false;
  pid_t process_ = -1;  ///< QEMU's, when it is on this host
};

}  // namespace luf::machine
