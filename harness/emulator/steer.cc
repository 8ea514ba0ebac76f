// luf-steer: decides from a seed which virtual CPU runs when, and stops the guest at an instruction that is asked for.
//
//   -plugin luf-steer.so,strategy=pct,seed=7,depth=3,steps=2000,points=ffffffff81061c40+ffffffff810612f0,report=FILE
//
// For guests whose virtual CPUs take turns in one thread (-icount). A CPU gives up its turn at the end of a block when
// QEMU is told to leave it; QEMU then runs the next one. A CPU that is kept off still executes one block each time it
// comes round, so it creeps on while the others run thousands of instructions.
//
// Only plain callbacks are used, and the CPU is taken from QEMU's own variable: with -icount the index that QEMU hands to
// callbacks is that of the CPU which translated the block, and inline operations corrupt the guest (QEMU 10.0).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <unordered_set>

#include "plugin_api.h"
#include "strategy.h"

extern "C" __attribute__((visibility("default"))) int qemu_plugin_version;
int qemu_plugin_version = luf::kApiVersion;

namespace luf::steer {
namespace {

/// What is known of a block since it was translated; lives as long as QEMU.
struct Block {
  std::uint32_t instructions = 0;
  bool at_point = false;
  bool spins = false;
  bool watched = false;
  std::uint64_t address = 0;
};

struct Steer {
  std::unique_ptr<Strategy> strategy;
  std::unordered_set<std::uint64_t> points;
  std::uint64_t watch = 0;    ///< address to look for; 0: none
  std::uint64_t stop_at = 0;  ///< instructions after which the machine stops; 0: never
  std::string report;
  unsigned cpus = 1;
  void* cpu[kMaxCpus] = {};
  std::uint64_t now = 0;  ///< instructions begun, of all CPUs
  std::uint64_t hits = 0;
  std::uint64_t turns = 0;
  std::uint64_t watched_at = 0;  ///< instructions begun when the watched one came first; 0: never
  unsigned watched_cpu = 0;
  unsigned last_cpu = kMaxCpus;
  std::uint64_t order = 14695981039346656037U;  ///< FNV-1a over (point, CPU) in their order
  bool stopping = false;
};
/// Never destroyed: QEMU calls on_exit() after the destructors of this object's statics.
Steer& steer = *new Steer;

constexpr int kPaused = 4;  // QEMU's RunState

void add_order(std::uint64_t value) { steer.order = (steer.order ^ value) * 1099511628211U; }

unsigned index_of(void* cpu) {
  for (unsigned i = 0; i < steer.cpus; ++i) {
    if (steer.cpu[i] == nullptr) steer.cpu[i] = qemu_get_cpu(static_cast<int>(i));
    if (steer.cpu[i] == cpu) return i;
  }
  return 0;
}

void on_block(unsigned, void* data) {
  const Block& block = *static_cast<const Block*>(data);
  const unsigned cpu = index_of(current_cpu);
  if (cpu != steer.last_cpu) ++steer.turns;
  steer.last_cpu = cpu;
  if (block.at_point) {
    ++steer.hits;
    add_order(block.address * kMaxCpus + cpu);
  }
  if (block.watched && steer.watched_at == 0) {
    steer.watched_at = steer.now;
    steer.watched_cpu = cpu;
  }
  const std::uint64_t after = steer.now + block.instructions;
  if (steer.stop_at != 0 && after >= steer.stop_at && !steer.stopping) {
    // This block ends the count: the machine stops in front of the next one.
    steer.stopping = true;
    vm_stop(kPaused);
  } else if (steer.stopping) {
    // QEMU's main loop has yet to stop them all: the others shall not get far until then.
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
    cpu_exit(current_cpu);
  } else if (steer.strategy &&
             steer.strategy->yields({cpu, block.instructions, block.at_point, block.spins}, steer.now)) {
    cpu_exit(current_cpu);
  }
  steer.now = after;
}

bool waits(const qemu_plugin_insn* insn) {
  unsigned char bytes[2] = {};
  const std::size_t size = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
  return (size == 2 && bytes[0] == 0xf3 && bytes[1] == 0x90) ||
         (qemu_plugin_insn_size(insn) == 1 && bytes[0] == 0xf4);
}

void on_translate(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  auto* block = new Block;  // QEMU may execute it at any later time
  block->instructions = static_cast<std::uint32_t>(qemu_plugin_tb_n_insns(tb));
  for (std::size_t i = 0; i < block->instructions; ++i) {
    const qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const std::uint64_t address = qemu_plugin_insn_vaddr(insn);
    if (i == 0) block->address = address;
    if (i == 0 && steer.points.count(address) != 0) block->at_point = true;
    if (steer.watch != 0 && address == steer.watch) block->watched = true;
    if (waits(insn)) block->spins = true;
  }
  if (steer.points.empty()) block->at_point = true;  // then every block is a point
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
}

void on_exit(qemu_plugin_id_t, void*) {
  if (steer.report.empty()) return;
  std::FILE* file = std::fopen(steer.report.c_str(), "w");
  if (file == nullptr) return;
  std::fprintf(file,
               "{\"instructions\": %llu, \"hits\": %llu, \"turns\": %llu, \"order\": \"%016llx\", "
               "\"watched_at\": %llu, "
               "\"watched_cpu\": %u}\n",
               static_cast<unsigned long long>(steer.now), static_cast<unsigned long long>(steer.hits),
               static_cast<unsigned long long>(steer.turns), static_cast<unsigned long long>(steer.order),
               static_cast<unsigned long long>(steer.watched_at), steer.watched_cpu);
  std::fclose(file);
}

void read_points(const char* text) {
  while (*text != '\0') {
    char* end = nullptr;
    const std::uint64_t address = std::strtoull(text, &end, 16);
    if (end == text) return;
    steer.points.insert(address);
    text = *end == '+' ? end + 1 : end;
  }
}

int refuse(const char* text) {
  std::fprintf(stderr, "luf-steer: %s\n", text);
  return 1;
}

int install(qemu_plugin_id_t id, const qemu_info_t& info, int argc, char** argv) {
  if (&current_cpu == nullptr || cpu_exit == nullptr || qemu_get_cpu == nullptr || vm_stop == nullptr)
    return refuse("this QEMU does not export cpu_exit, vm_stop and current_cpu; Debian's does");
  Choice choice;
  std::string strategy;
  for (int i = 0; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) return refuse("an argument has no value");
    const std::string key(argv[i], static_cast<std::size_t>(equals - argv[i]));
    const char* value = equals + 1;
    if (key == "strategy") strategy = value;
    if (key == "seed") choice.seed = std::strtoull(value, nullptr, 10);
    if (key == "depth") choice.depth = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    if (key == "steps") choice.steps = std::strtoull(value, nullptr, 10);
    if (key == "points") read_points(value);
    if (key == "watch") steer.watch = std::strtoull(value, nullptr, 16);
    if (key == "stop_at") steer.stop_at = std::strtoull(value, nullptr, 10);
    if (key == "report") steer.report = value;
  }
  steer.cpus = std::min<unsigned>(static_cast<unsigned>(info.system.smp_vcpus), kMaxCpus);
  choice.cpus = steer.cpus;
  if (!strategy.empty()) {
    steer.strategy = make_strategy(strategy, choice);
    if (!steer.strategy) return refuse("unknown strategy");
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}

}  // namespace
}  // namespace luf::steer

extern "C" __attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                                          const qemu_info_t* info, int argc,
                                                                          char** argv) {
  return luf::steer::install(id, *info, argc, argv);
}
