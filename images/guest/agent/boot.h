// From the kernel's first process to a place where parts can run.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/event_stream.h"
#include "lib/part_context.h"

namespace luf::guest {

/// Opens the event port raw: no translation of newlines, no echo. Returns -1 on failure (errno tells).
int open_event_port();

/// The machine as it is now, by system calls alone: no file system need be mounted. Of the CPUs it counts those that this
/// process may run on.
Topology probe_topology();

/// Mounts sysfs only, and says `boot`: the cold boot's time is measured by it.
void emit_boot(EventStream& events);

/// Mounts the rest, makes the parts' cgroup. Returns what went wrong, one message each.
std::vector<std::string> mount_all();

/// Loads what /modules/order lists, in that order. Parameters come from the kernel command line
/// (`module.name=value`), as with modprobe, so /proc must be mounted. Returns what went wrong.
std::vector<std::string> load_modules();

/// Starts the CPUs that the kernel left alone (`maxcpus=` on its command line), after modules have set up their devices.
/// Returns what went wrong.
std::vector<std::string> start_cpus();

/// The parameters for `module` on a kernel command line, as finit_module(2) takes them.
std::string module_parameters(std::string_view cmdline, std::string_view module);

/// Maps the plan device's memory. On failure the span is empty and `problem` says why.
std::span<const std::byte> map_plan_device(std::string& problem);

/// Stops the whole machine here, until the host lets it, or a clone of it, go on. Returns what went wrong.
std::string stop_machine();

}  // namespace luf::guest
