// A machine run by a QEMU process of our own: no daemon.
#pragma once

#include "async/task_group.h"
#include "machine/machine.h"
#include "machine/process.h"
#include "machine/qemu_command.h"
#include "machine/qmp.h"

namespace luf::machine {

/// See Machine. The executor's context, `clock` and `changed` outlive it.
class QemuMachine : public Machine {
 public:
  QemuMachine(const boost::asio::any_io_executor& executor, Clock& clock, Wake& changed, QemuSetup setup);

  Task<Result<void>> start(TimePoint deadline) override;
  const MachineState& state() const override { return state_; }
  Task<bool> answers(TimePoint deadline) override;
  Task<std::string> final_state(TimePoint deadline) override;
  Task<void> stop(bool at_once) override;
  std::string command_line() const override;

  /// For a template: waits until the guest has stopped itself, and saves its state to `file`. Errors: infra, timeout.
  Task<Result<void>> save(const std::filesystem::path& file, TimePoint deadline);

 private:
  Task<Result<void>> load_clone(TimePoint deadline);
  Task<Result<void>> prepare_migration(TimePoint deadline);
  Task<Result<void>> migrated(TimePoint deadline);
  void on_event(const std::string& name, const nlohmann::json& data);
  Task<void> watch_process();
  Task<bool> ended_within(std::chrono::milliseconds patience);
  Clock& clock_;
  Wake& changed_;
  QemuSetup setup_;
  MachineState state_;
  std::string migration_;  ///< what QEMU said last about a saving or loading under way
  Process process_;
  Qmp qmp_;
  TaskGroup tasks_;
};

}  // namespace luf::machine
