// How many guests a host carries side by side without one disturbing another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "run/settings.h"

namespace luf::run {

/// What a host has for guests.
struct Host {
  std::size_t cpus = 1;      ///< that this program may use
  std::uint64_t memory = 0;  ///< bytes that programs can still have; 0: not known
};

/// This one, now: what the scheduler, its memory and the control groups of this program leave; files are read below `root`.
/// Thread: any.
Host this_host(const std::filesystem::path& root = "/");

/// How many guests as large as the largest of `jobs` run at a time with a host CPU for each virtual one (those of a
/// deterministic guest take turns on one) and all their memory; at least one.
std::size_t room_for(const std::vector<Job>& jobs, const Host& host);

/// What is wrong with `guests` of them at a time, in a sentence; empty: there is room. One alone is never too many.
std::string crowding(const std::vector<Job>& jobs, std::size_t guests, const Host& host);

/// Has `settings` run `asked` of them at a time, or if that is 0 as many as there is room for, and know whether those are too
/// many.
void place(const std::vector<Job>& jobs, std::size_t asked, const Host& host, Settings& settings);

/// Why the host, not the guest, may be at fault when this one hangs: what is wrong with how many run, in a sentence; empty:
/// it is not. Never of a deterministic one, whose time waits for the host.
std::string crowding_of(const Settings& settings, const Job& job);

}  // namespace luf::run
