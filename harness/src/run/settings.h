// What all scenarios of one call of `lufbed run` share.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artifact/image.h"
#include "artifact/kernel.h"
#include "async/wake.h"
#include "machine/libvirt_host.h"
#include "report/progress.h"
#include "run/interrupt.h"
#include "scenario/scenario.h"

namespace luf::run {

/// One scenario to be run.
struct Job {
  std::filesystem::path
      file;  ///< empty when no file holds just this: then the copy in the run directory does
  std::string name;
  scenario::Scenario scenario;
  std::optional<artifact::Kernel> kernel = {};  ///< instead of the one of the settings
  std::size_t number = 0;                       ///< by which its maker knows it
};

/// Where luf-steer looks and stops a deterministic guest.
struct Stop {
  std::uint64_t watch = 0;  ///< address of an instruction whose first execution is noted; 0: none
  std::uint64_t at = 0;     ///< instructions, of all virtual CPUs, after which the machine stops; 0: never
};

struct Settings {
  artifact::Kernel kernel;
  artifact::Image image;
  scenario::Catalog catalog;
  std::filesystem::path runs = "runs";
  std::string qemu = "qemu-system-x86_64";
  std::string machine = "qemu";                   ///< or "libvirt"
  std::string connect;                            ///< libvirt's URI; empty: its driver inside this program
  std::shared_ptr<machine::LibvirtHost> libvirt;  ///< set by make_ready when `machine` says so
  std::string append;                             ///< further kernel words, after those of the scenario
  std::optional<std::string> accel;               ///< overrides the scenarios
  std::string oracle = "off";                     ///< or "violations", or "full"
  std::filesystem::path modules;                  ///< of a brought kernel; empty: looked for
  std::filesystem::path executable;               ///< for the line that repeats a run
  std::size_t guests = 1;                         ///< at a time
  std::string crowding;  ///< why these are more than the host carries; empty: they are not
  bool cold = false;     ///< boot every guest, clone none
  Stop stop = {};
  /// Called with the debugger's socket when the guest has stopped where `stop` says; the run then ends. May be empty.
  std::function<Task<void>(const std::filesystem::path&)> debugger = {};
};

/// The objects that live as long as the program's work. All outlive their users.
struct Environment {
  boost::asio::any_io_executor executor;
  Clock& clock;
  Interrupt& interrupt;
  report::Progress& progress;
};

}  // namespace luf::run
