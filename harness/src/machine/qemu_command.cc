#include "machine/qemu_command.h"

#include <fmt/format.h>

#include "machine/process.h"

namespace luf::machine {
namespace {

/// In QEMU's option lists a comma in a value is written twice.
std::string option_value(const std::filesystem::path& path) {
  std::string value;
  for (char character : path.string())
    value += character == ',' ? std::string(",,") : std::string(1, character);
  return value;
}

/// Time counts instructions, so that the same seed gives the same run: no host clock, no host randomness.
void add_virtual_time(std::vector<std::string>& words, const QemuSetup& setup) {
  words.insert(words.end(), {"-icount", fmt::format("shift={},align=off,sleep=off", *setup.icount)});
  words.insert(words.end(), {"-rtc", "base=2020-01-01T00:00:00,clock=vm"});
  words.insert(words.end(), {"-seed", fmt::format("{}", setup.seed)});
  words.insert(words.end(), {"-name", "debug-threads=on"});  // emulator/quiet_loop.cc knows one by its name
}

/// Where lufbed's machine and the bare one must not differ.
std::vector<std::string> platform_words(const QemuSetup& setup) {
  const bool tcg = setup.accel == Accel::kTcg;
  std::vector<std::string> words;
  if (setup.icount && !setup.emulator.empty()) {
    std::string objects = (setup.emulator / "luf-still-clock.so").string();
    // A debugger wants the main loop to see a stop while the other CPUs still run.
    if (setup.gdb.empty()) objects = (setup.emulator / "luf-quiet-loop.so").string() + ":" + objects;
    words = {"env", "LD_PRELOAD=" + objects};
  }
  words.insert(words.end(), {setup.qemu, "-nodefaults", "-no-user-config", "-display", "none"});
  // What the HPET shows depends on when QEMU looked at it last (saved_clock.h).
  words.insert(words.end(), {"-machine", fmt::format("q35,smm=off,dump-guest-core=off{}{}",
                                                     setup.icount ? ",hpet=off" : "",
                                                     setup.slow_memory > 0 ? ",hmat=on" : "")});
  words.insert(words.end(), {"-accel", !tcg           ? "kvm"
                                       : setup.icount ? "tcg,thread=single"
                                                      : "tcg,thread=multi"});
  if (setup.icount) add_virtual_time(words, setup);
  // No 5-level tables and no protection keys: under TCG both only slow page walks down or add flushes.
  std::string cpu = tcg ? "max,la57=off,pku=off" : "host";
  // A string instruction counts once an element: without these, pages are zeroed and copied by words, not bytes.
  if (setup.icount) cpu += ",erms=off,fsrm=off";
  words.insert(words.end(), {"-cpu", cpu});
  return words;
}

bool goes_on(const QemuSetup& setup) {
  return setup.origin == Origin::kClone || setup.origin == Origin::kHandedOver;
}

/// A guest that goes on does so in its files, too.
std::string output_file(const QemuSetup& setup, const char* id, const std::filesystem::path& path) {
  return fmt::format("file,id={},path={}{}", id, option_value(path), goes_on(setup) ? ",append=on" : "");
}

void add_console(std::vector<std::string>& words, const QemuSetup& setup) {
  words.insert(words.end(),
               {"-chardev", output_file(setup, "console", setup.console), "-serial", "chardev:console"});
}

void add_software(std::vector<std::string>& words, const QemuSetup& setup) {
  words.insert(words.end(), {"-kernel", setup.kernel.string(), "-initrd", setup.initramfs.string()});
  words.insert(words.end(), {"-append", kernel_cmdline(setup)});
}

/// The memory backend of a node. A clone writes to copies of its template's pages.
std::string memory_backend(const QemuSetup& setup, std::int64_t node, std::uint64_t size) {
  const std::string common = fmt::format("id=ram{},size={}M", node, size);
  // The oracle finds memory by its name in /proc/self/maps; a memfd has one and leaves nothing behind.
  if (setup.origin == Origin::kBoot || setup.origin == Origin::kHandedOver)
    return (setup.oracle ? "memory-backend-memfd," : "memory-backend-ram,") + common;
  return fmt::format("memory-backend-file,{},share={},mem-path={}", common,
                     setup.origin == Origin::kTemplate ? "on" : "off",
                     option_value(setup.ram / fmt::format("ram{}", node)));
}

/// What QEMU does when the guest ends. A template says with the panic device that it is ready: only that stops a guest
/// at an instruction of its own choice. A deterministic guest stays, stopped, to be looked at.
std::string end_action(const QemuSetup& setup) {
  if (setup.origin == Origin::kTemplate) return "panic=pause";
  return setup.icount ? "panic=shutdown,shutdown=pause" : "panic=shutdown";
}

/// A node without CPUs; the kernel makes a tier of its own of it by what firmware says of its speed.
void add_slow_node(std::vector<std::string>& words, const QemuSetup& setup) {
  const std::string backend = memory_backend(setup, setup.nodes, setup.slow_memory >> 20U);
  words.insert(words.end(), {"-object", backend, "-numa",
                             fmt::format("node,nodeid={0},memdev=ram{0},initiator=0", setup.nodes)});
  for (const Reach& reach : reaches(setup)) {
    const std::string pair =
        fmt::format("hmat-lb,initiator={},target={},hierarchy=memory", reach.from, reach.to);
    words.insert(
        words.end(),
        {"-numa", fmt::format("{},data-type=access-latency,latency={}", pair, reach.latency_ns), "-numa",
         fmt::format("{},data-type=access-bandwidth,bandwidth={}M", pair, reach.mebibytes_per_s)});
  }
}

/// Every node has its share of CPUs and memory and a memory backend of its own.
void add_memory(std::vector<std::string>& words, const QemuSetup& setup) {
  const std::uint64_t share = node_mebibytes(setup);
  const std::string most = setup.devices.contains(Device::kHotMemory)
                               ? fmt::format(",maxmem={}M", all_mebibytes(setup) + kHotMemoryMebibytes)
                               : std::string();
  words.insert(words.end(), {"-m", fmt::format("{}M{}", all_mebibytes(setup), most)});
  // One socket a CPU: Linux warns when CPUs that share a cache sit on different nodes.
  words.insert(words.end(), {"-smp", fmt::format("{0},sockets={0},cores=1,threads=1", setup.cpus)});
  for (std::int64_t node = 0; node < setup.nodes; ++node) {
    words.insert(words.end(), {"-object", memory_backend(setup, node, share)});
    words.insert(words.end(), {"-numa", fmt::format("node,nodeid={0},cpus={1},memdev=ram{0}", node,
                                                    cpu_range(setup.cpus, setup.nodes, node))});
  }
  if (setup.slow_memory > 0) add_slow_node(words, setup);
}

void add_oracle(std::vector<std::string>& words, const QemuSetup& setup) {
  const OracleSetup& oracle = *setup.oracle;
  std::string plugin = fmt::format("{},level={},out={},vcpus={}", option_value(oracle.plugin), oracle.level,
                                   option_value(oracle.out), setup.cpus);
  if (setup.icount) plugin += fmt::format(",icount={}", *setup.icount);
  if (setup.origin == Origin::kClone) plugin += ",ram=" + option_value(setup.ram / "ram");
  if (!oracle.symbols.empty()) plugin += ",kernel=" + option_value(oracle.symbols);
  if (!oracle.program.empty()) plugin += ",program=" + option_value(oracle.program);
  words.insert(words.end(), {"-plugin", plugin});
}

}  // namespace

std::string cpu_range(std::int64_t cpus, std::int64_t nodes, std::int64_t node) {
  return fmt::format("{}-{}", cpus * node / nodes, cpus * (node + 1) / nodes - 1);
}

std::uint64_t node_mebibytes(const QemuSetup& setup) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
  return setup.memory / static_cast<std::uint64_t>(setup.nodes) / kMiB;
}

std::uint64_t all_mebibytes(const QemuSetup& setup) {
  return node_mebibytes(setup) * static_cast<std::uint64_t>(setup.nodes) + (setup.slow_memory >> 20U);
}

std::vector<Reach> reaches(const QemuSetup& setup) {
  std::vector<Reach> all;
  for (std::int64_t from = 0; from < setup.nodes; ++from) {
    // Once for both directions: libvirt takes the way back for the same link.
    for (std::int64_t to = from; to < setup.nodes; ++to)
      all.push_back({from, to, from == to ? 10U : 20U, 10240});
    all.push_back({from, setup.nodes, 200, 1024});
  }
  return all;
}

std::string to_string(Accel accel) { return accel == Accel::kTcg ? "tcg" : "kvm"; }

/// There QEMU 10.0 sends a virtual CPU's access to a device astray, or aborts, when another one moves devices at that
/// moment, as a kernel does that looks for them. So the guest starts its other CPUs itself, later (docs/decisions/0008).
bool parallel_tcg(const QemuSetup& setup) { return setup.accel == Accel::kTcg && !setup.icount; }

std::string kernel_cmdline(const QemuSetup& setup) {
  std::string line =
      "console=ttyS0 "           // kernel messages to console.log
      "loglevel=5 "              // warnings too, which `quiet` would hide; the rest costs boot time
      "panic=-1 oops=panic "     // end at once, so that the host learns of it
      "watchdog_thresh=30 "      // a vCPU of a busy host may stand still for long
      "nokaslr "                 // addresses in logs match vmlinux, runs can be compared
      "mitigations=off "         // they flush and cost time; the machine is not shared
      "numa_balancing=disable "  // its PTE scans flush readers by themselves and hide faults
      "random.trust_cpu=on "     // no wait for entropy
      "no_timer_check "          // the timer test fails on a busy host
      "ramdisk_size=65536 brd.rd_size=65536";               // a disk in guest RAM, 64 MiB
  if (setup.accel == Accel::kTcg) line += " tsc=reliable";  // emulated, so its watchdog only sees host noise
  if (parallel_tcg(setup)) line += " maxcpus=1 noreplace-smp";
  if (setup.devices.contains(Device::kHotMemory)) line += " memhp_default_state=online_movable";
  if (!setup.cmdline.empty()) line += " " + setup.cmdline;
  return line;
}

std::vector<std::string> device_words(const QemuSetup& setup) {
  std::vector<std::string> words{"-action", end_action(setup), "-device", "pvpanic-pci"};
  add_console(words, setup);
  words.insert(words.end(),
               {"-chardev", output_file(setup, "events", setup.events), "-serial", "chardev:events"});
  // A template leaves shared memory out of what it saves; a clone must not look for it at the same address.
  words.insert(
      words.end(),
      {"-object", fmt::format("memory-backend-file,id=plan,size=1M,share={},mem-path={}",
                              setup.origin == Origin::kClone ? "off" : "on", option_value(setup.plan))});
  words.insert(words.end(), {"-device", "ivshmem-plain,memdev=plan,master=on"});
  if (setup.devices.contains(Device::kBalloon))
    words.insert(words.end(), {"-device", "virtio-balloon-pci,id=balloon0"});
  if (setup.devices.contains(Device::kHotMemory)) {
    words.insert(words.end(),
                 {"-object", fmt::format("memory-backend-ram,id=hot,size={}M", kHotMemoryMebibytes)});
    words.insert(words.end(),
                 {"-device", fmt::format("virtio-mem-pci,id=hot0,memdev=hot,node=0,requested-size={}M",
                                         kHotMemoryMebibytes)});
  }
  // Two nodes: beneath the upper one another can be put while the guest runs.
  if (setup.devices.contains(Device::kDisk))
    words.insert(
        words.end(),
        {"-blockdev", fmt::format("file,node-name=disk-file,filename={}", option_value(setup.disk)),
         "-blockdev", "raw,node-name=disk,file=disk-file", "-device", "virtio-blk-pci,id=disk0,drive=disk"});
  return words;
}

std::vector<std::string> qemu_command(const QemuSetup& setup) {
  std::vector<std::string> words = platform_words(setup);
  add_memory(words, setup);
  add_software(words, setup);
  words.emplace_back("-no-reboot");
  const std::vector<std::string> devices = device_words(setup);
  words.insert(words.end(), devices.begin(), devices.end());
  if (setup.oracle) add_oracle(words, setup);
  words.insert(words.end(), {"-chardev", fmt::format("socket,id=qmp,fd={}", kPassedFd), "-mon",
                             "chardev=qmp,mode=control"});
  if (setup.origin == Origin::kClone) words.emplace_back("-S");
  if (goes_on(setup)) words.insert(words.end(), {"-incoming", "defer"});
  for (const std::string& plugin : setup.plugins) words.insert(words.end(), {"-plugin", plugin});
  if (!setup.gdb.empty())
    words.insert(words.end(), {"-gdb", fmt::format("unix:{},server=on,wait=off", option_value(setup.gdb))});
  return words;
}

std::vector<std::string> bare_command(const QemuSetup& setup) {
  std::vector<std::string> words = platform_words(setup);
  words.insert(words.end(),
               {"-m", fmt::format("{}M", setup.memory >> 20U), "-smp", fmt::format("{}", setup.cpus)});
  add_software(words, setup);
  add_console(words, setup);
  words.emplace_back("-no-reboot");
  return words;
}

}  // namespace luf::machine
