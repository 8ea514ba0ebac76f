// A machine run by a QEMU process of our own: no daemon.
#pragma once

#include <memory>
#include <vector>

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
  Task<Result<nlohmann::json>> monitor(std::string command, nlohmann::json arguments,
                                       TimePoint deadline) override;
  Task<Result<nlohmann::json>> hand_over(TimePoint deadline) override;
  const MachineState& state() const override { return state_; }
  Task<bool> answers(TimePoint deadline) override;
  Task<std::string> final_state(TimePoint deadline) override;
  Task<void> stop(bool at_once) override;
  std::string command_line() const override;

  /// For a template: waits until the guest has stopped itself, and saves its state to `file`. Errors: infra, timeout.
  Task<Result<void>> save(const std::filesystem::path& file, TimePoint deadline);

 private:
  /// A QEMU process and its monitor. There is a second one while a guest is handed over.
  struct Emulator {
    Emulator(QemuMachine& machine, const boost::asio::any_io_executor& executor);
    Process process;
    Qmp qmp;
  };
  Task<Result<void>> launch(Emulator& emulator, const QemuSetup& setup, TimePoint deadline);
  Task<Result<nlohmann::json>> transfer(Emulator& from, Emulator& to, const std::string& socket,
                                        TimePoint deadline);
  Task<Result<nlohmann::json>> transferred(Emulator& from, TimePoint deadline);
  Task<Result<void>> load_clone(TimePoint deadline);
  Task<Result<void>> prepare_migration(TimePoint deadline);
  Task<Result<void>> migrated(TimePoint deadline);
  /// True once the guest has stopped itself and QEMU is still there.
  Task<bool> guest_stopped(TimePoint deadline);
  void on_event(const Emulator& from, const std::string& name, const nlohmann::json& data);
  Task<void> watch_process(Emulator& emulator);
  Task<bool> ended_within(std::chrono::milliseconds patience);
  Clock& clock_;
  Wake& changed_;
  QemuSetup setup_;
  MachineState state_;
  std::string migration_;  ///< what QEMU said last about a saving or loading under way
  boost::asio::any_io_executor executor_;
  std::vector<std::unique_ptr<Emulator>> emulators_;  ///< kept to the end: tasks refer to them
  Emulator* current_;                                 ///< the one that runs the guest
  TaskGroup tasks_;
};

}  // namespace luf::machine
