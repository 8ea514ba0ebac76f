// The QEMU command line, as a pure function.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace luf::machine {

enum class Accel { kTcg, kKvm };
std::string to_string(Accel accel);

/// Where a guest's memory and state come from.
enum class Origin {
  kBoot,        ///< from nothing
  kTemplate,    ///< from nothing, RAM in files, to be saved when the guest is ready
  kHandedOver,  ///< from an emulator that runs, which hands its guest over
  kClone,       ///< from a template's files, which stay as they are
};

/// What a machine has only when something asks for it: each changes what the guest sees when it boots.
enum class Device {
  kBalloon,    ///< virtio-balloon, `balloon0`
  kHotMemory,  ///< virtio-mem, `hot0`: memory beside that of the nodes
  kDisk,       ///< virtio-blk, `disk0`: where the guest puts its file system
};
inline constexpr std::uint64_t kDiskBytes = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kHotMemoryMebibytes = 128;

/// The TLB oracle: a plugin of the emulator.
struct OracleSetup {
  std::filesystem::path plugin;
  std::string level;              ///< "violations" or "full"
  std::filesystem::path out;      ///< directory of its reports
  std::filesystem::path symbols;  ///< of the kernel: an ELF file or a System.map; empty: none
  std::filesystem::path program;  ///< the guest program with its symbols; empty: none
};

/// All that decides how a guest is started.
struct QemuSetup {
  std::string qemu = "qemu-system-x86_64";
  Accel accel = Accel::kTcg;
  std::optional<std::int64_t> icount;  ///< an instruction takes 2^icount ns; only with kTcg
  std::int64_t seed = 1;               ///< of what QEMU draws for the guest; only with icount
  std::filesystem::path emulator;      ///< where emulator/ was built; only with icount; empty: none
  std::vector<std::string> plugins;    ///< each a value of -plugin
  Origin origin = Origin::kBoot;
  std::filesystem::path ram;    ///< folder of the files ram0, ram1, ... a node; not with kBoot
  std::filesystem::path state;  ///< what a template saved beside its RAM; only with kClone
  std::filesystem::path gdb;    ///< a socket where a debugger may attach; empty: none
  std::int64_t cpus = 4;
  std::uint64_t memory = 0;  ///< bytes
  std::int64_t nodes = 1;
  std::uint64_t slow_memory = 0;  ///< bytes of a further node, without CPUs; 0: there is none
  std::set<Device> devices;
  std::filesystem::path disk;  ///< file of kDisk
  std::filesystem::path kernel;
  std::filesystem::path initramfs;
  std::filesystem::path plan;         ///< the plan device's file
  std::filesystem::path console;      ///< first serial port
  std::filesystem::path events;       ///< second serial port
  std::filesystem::path output;       ///< QEMU's own words
  std::string cmdline;                ///< further kernel words, later ones win
  std::optional<OracleSetup> oracle;  ///< only with kTcg
};

/// The CPUs of a node, "0-1": each node has its share.
std::string cpu_range(std::int64_t cpus, std::int64_t nodes, std::int64_t node);

/// Memory of each node that has CPUs.
std::uint64_t node_mebibytes(const QemuSetup& setup);
/// Of all nodes.
std::uint64_t all_mebibytes(const QemuSetup& setup);

/// How fast a CPU reaches memory, for firmware's table of it (HMAT); only with slow_memory.
struct Reach {
  std::int64_t from;  ///< node of the CPU
  std::int64_t to;    ///< node of the memory
  unsigned latency_ns;
  unsigned mebibytes_per_s;
};
std::vector<Reach> reaches(const QemuSetup& setup);

/// The part of the command line that says what the run needs of the machine: serial ports into files, the plan device,
/// the panic device. Libvirt passes it through.
std::vector<std::string> device_words(const QemuSetup& setup);

/// Program and arguments. The monitor is expected on descriptor kPassedFd.
std::vector<std::string> qemu_command(const QemuSetup& setup);

/// The yardstick for boot times: the same machine, accelerator, CPUs, memory and kernel words, but one NUMA node, no
/// device beside the console, and no monitor. `plan` and `events` are not used.
std::vector<std::string> bare_command(const QemuSetup& setup);

/// The kernel command line.
std::string kernel_cmdline(const QemuSetup& setup);

}  // namespace luf::machine
