// The plugin's side of QEMU: what is instrumented, and how one finds out who does what.
//
//   -plugin liblufbed-oracle.so,level=violations|full,out=DIR,vcpus=N[,icount=SHIFT][,ram=NAME]
//           [,kernel=VMLINUX_OR_SYSTEM_MAP][,program=ELF]
//
// With icount all CPUs share one thread and QEMU 10.0 tells callbacks the wrong CPU (it builds the number of the
// translating CPU into code that all share); inline operations then even corrupt the guest. So only plain callbacks are
// used, and with icount the CPU is taken from QEMU's own `current_cpu`.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>

#include "kernel_hooks.h"
#include "oracle.h"
#include "plugin_api.h"
#include "registers.h"
#include "report.h"
#include "symbols.h"
#include "syscalls.h"

namespace luf::oracle {
namespace {

constexpr std::uint64_t kUserEnd = std::uint64_t{1} << 47U;
// Linux's map of all memory, without KASLR.
constexpr std::uint64_t kDirectMap = 0xffff888000000000;
constexpr std::uint64_t kDirectMapFiveLevels = 0xff11000000000000;
// The soft TLB's tables, as version 4 numbers them in the low bits of what it says of an access.
constexpr unsigned kTlbMask = 15;
constexpr bool is_user_tlb(unsigned tlb) { return tlb == 2 || tlb == 3; }
constexpr unsigned kFetchTlb = 15;  ///< none of QEMU's: fetches are told apart by this

/// The one plugin of this process.
struct Plugin {
  bool full = false;
  int icount = -1;
  std::string out;
  std::string ram = "memory-backend-memfd";
  Symbols kernel;
  Symbols program;
  std::vector<Vcpu> vcpus;
  std::unique_ptr<Registers[]> registers;
  std::unique_ptr<Oracle> oracle;
  std::unique_ptr<KernelHooks> hooks;
  void** current_cpu = nullptr;  ///< with icount: of the one thread
  void* (*get_cpu)(int index) = nullptr;
  Vcpu* running = nullptr;  ///< with icount: who ran last
  // On a line of its own: what stands above is read at every access, by all CPUs.
  alignas(64) std::mutex calls_lock;  ///< guards the two below
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<Syscall, std::array<std::uint64_t, 2>>> calls;
  std::uint64_t next_call = 1;
};
Plugin* plugin = nullptr;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "oracle: %s\n", why.c_str());
  std::exit(1);
}

/// The CPU that runs this callback; null: it has to be looked for.
Vcpu* running_vcpu(unsigned told) {
  if (plugin->icount < 0) return &plugin->vcpus[told];
  Vcpu* last = plugin->running;
  return last != nullptr && last->state == *plugin->current_cpu ? last : nullptr;
}

/// The same, looked for.
Vcpu& vcpu_of(unsigned told) {
  if (Vcpu* known = running_vcpu(told); known != nullptr) return *known;
  void* state = *plugin->current_cpu;
  for (Vcpu& vcpu : plugin->vcpus) {
    vcpu.state = plugin->get_cpu(static_cast<int>(vcpu.index));
    if (vcpu.state == state) return *(plugin->running = &vcpu);
  }
  give_up("QEMU runs a CPU that it does not list");
}

/// RAM exists when the first code is translated, not yet when the plugin is loaded.
void find_guest_ram() {
  std::ifstream file("/proc/self/maps");
  std::stringstream maps;
  maps << file.rdbuf();
  GuestMemory memory(find_ram(maps.str(), plugin->ram));
  if (memory.frames() == 0)
    give_up("this QEMU has no memory backend named " + plugin->ram + "; the guest's RAM cannot be read");
  plugin->oracle = std::make_unique<Oracle>(std::move(memory), plugin->vcpus, plugin->icount, plugin->kernel);
  plugin->hooks = std::make_unique<KernelHooks>(*plugin->oracle, plugin->kernel);
  if (plugin->icount < 0) return;
  plugin->current_cpu = static_cast<void**>(::dlsym(RTLD_DEFAULT, "current_cpu"));
}

/// QEMU 10.0 lets registers be read in any callback; CR3 and its like are always in memory, never in a host register.
const PagingState& paging(Vcpu& vcpu) {
  if (vcpu.control_read) return vcpu.paging;
  Registers& registers = plugin->registers[vcpu.index];
  const std::uint64_t cr4 = registers.read(Register::kCr4);
  vcpu.paging.cr3 = registers.read(Register::kCr3);
  vcpu.paging.paging = registers.read(Register::kCr0) >> 31U != 0 && (cr4 >> 5U & 1U) != 0;
  vcpu.paging.five_levels = (cr4 >> 12U & 1U) != 0;
  vcpu.control_read = true;
  return vcpu.paging;
}

void check_slowly(Vcpu& vcpu, Access access, qemu_plugin_meminfo_t info) {
  qemu_plugin_hwaddr* where = qemu_plugin_get_hwaddr(info, access.address);
  if (where == nullptr || qemu_plugin_hwaddr_is_io(where)) return;
  const std::uint64_t physical = qemu_plugin_hwaddr_phys_addr(where);
  access.frame = physical >> kPageShift;
  if (access.frame >= plugin->oracle->frames()) return;  // a device's memory
  paging(vcpu);
  if (!vcpu.paging.paging) return;
  plugin->oracle->check(vcpu, access);
  if (access.kind == kStore && plugin->oracle->flags(access.frame) != 0) {
    const std::uint64_t bytes = std::uint64_t{1} << qemu_plugin_mem_size_shift(info);
    plugin->oracle->stored(vcpu, physical, std::min(bytes, kPageBytes - physical % kPageBytes), access.pc);
  }
}

void ring(Vcpu& vcpu, qemu_plugin_meminfo_t info) {
  const qemu_plugin_mem_value value = qemu_plugin_mem_get_value(info);
  if (value.type != QEMU_PLUGIN_MEM_VALUE_U64) return;
  const protocol::RingWord word = protocol::read_doorbell(value.data.u64);
  if (!word.valid) return;
  paging(vcpu);
  plugin->oracle->ring(vcpu, word);
}

// The callbacks of accesses come in two: the first is run at every access, so it calls nothing and saves no register; the
// second does all that the first has not found to be needless. `data` is the address of the instruction.

/// What that CPU is known to have found true; null: nothing, or the CPU is not known.
[[gnu::always_inline]] inline const Verified* verified(const Vcpu* vcpu, std::uint64_t address, unsigned tlb,
                                                       std::uint8_t kind) {
  return vcpu == nullptr ? nullptr : plugin->oracle->verified(*vcpu, Oracle::key(address, tlb), kind);
}

[[gnu::noinline]] void check_access(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t address,
                                    void* data, std::uint8_t kind, bool by_kernel) {
  const unsigned tlb = info & kTlbMask;
  if (!by_kernel && !is_user_tlb(tlb)) return;  // firmware and early boot
  Vcpu& vcpu = vcpu_of(told);
  ++vcpu.checked;
  check_slowly(vcpu, {kind, by_kernel, tlb, address, reinterpret_cast<std::uint64_t>(data), 0}, info);
  if (!by_kernel && kind == kStore && address >> kPageShift == protocol::kDoorbellAddress >> kPageShift)
    ring(vcpu, info);
}

/// A load by an instruction of a user address.
void on_user_load(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
  Vcpu* vcpu = running_vcpu(told);
  if (verified(vcpu, address, info & kTlbMask, kLoad) == nullptr)
    return check_access(told, info, address, data, kLoad, false);
  ++vcpu->checked;
}

/// The same for a store.
void on_user_store(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
  Vcpu* vcpu = running_vcpu(told);
  const Verified* seen = verified(vcpu, address, info & kTlbMask, kStore);
  if (seen == nullptr || plugin->oracle->flags(seen->frame) != 0 ||
      address >> kPageShift == protocol::kDoorbellAddress >> kPageShift)
    return check_access(told, info, address, data, kStore, false);
  ++vcpu->checked;
}

/// A load by an instruction of the kernel.
void on_kernel_load(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
  if (address >= kUserEnd) return;
  Vcpu* vcpu = running_vcpu(told);
  if (verified(vcpu, address, info & kTlbMask, kLoad) == nullptr)
    return check_access(told, info, address, data, kLoad, true);
  ++vcpu->checked;
}

[[gnu::noinline]] void check_kernel_frame(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t physical,
                                          void* data) {
  Vcpu& vcpu = vcpu_of(told);
  paging(vcpu);
  plugin->oracle->stored(vcpu, physical, std::uint64_t{1} << qemu_plugin_mem_size_shift(info),
                         reinterpret_cast<std::uint64_t>(data));
}

/// A store by an instruction of the kernel.
void on_kernel_store(unsigned told, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
  if (address < kUserEnd) {
    Vcpu* vcpu = running_vcpu(told);
    const Verified* seen = verified(vcpu, address, info & kTlbMask, kStore);
    if (seen == nullptr || plugin->oracle->flags(seen->frame) != 0)
      return check_access(told, info, address, data, kStore, true);
    ++vcpu->checked;
    return;
  }
  std::uint64_t physical = address - kDirectMap;
  if (physical >> kPageShift >= plugin->oracle->frames()) {
    physical = address - kDirectMapFiveLevels;
    if (physical >> kPageShift >= plugin->oracle->frames())
      return;  // no page table and no page of a user lies there
  }
  if (plugin->oracle->flags(physical >> kPageShift) != 0) check_kernel_frame(told, info, physical, data);
}

void on_control_write(unsigned told, void*) {
  Vcpu& vcpu = vcpu_of(told);
  vcpu.control_read = false;  // it is about to change: read it when it is next needed
  plugin->oracle->flushed(vcpu);
}

/// A block of code: where it is, and how long.
struct Block {
  std::uint64_t address = 0;
  std::uint64_t frame = 0;
  std::uint64_t instructions = 0;
};

void on_kernel_block(unsigned told, void* data) {
  Vcpu& vcpu = vcpu_of(told);
  vcpu.instructions += static_cast<const Block*>(data)->instructions;
}

[[gnu::noinline]] void check_user_block(unsigned told, void* data) {
  const auto& block = *static_cast<const Block*>(data);
  Vcpu& vcpu = vcpu_of(told);
  vcpu.instructions += block.instructions;
  vcpu.syscall = 0;
  ++vcpu.checked;
  // What the kernel will swap in at its next entry never changes.
  if (vcpu.per_cpu_area == 0) vcpu.per_cpu_area = plugin->registers[vcpu.index].read(Register::kKernelGsBase);
  paging(vcpu);
  if (!vcpu.paging.paging) return;
  // A block is shared by all addresses at which its frame is mapped: where it does not fit, ask for the true one.
  std::uint64_t address = block.address;
  const Translation truth = walk(plugin->oracle->memory(), vcpu.paging, address);
  if (truth.present && truth.frame == block.frame && !truth.user) return;  // the kernel, early in its boot
  if (!truth.present || truth.frame != block.frame)
    address = plugin->registers[vcpu.index].read(Register::kRip);
  if (address >= kUserEnd) return;
  plugin->oracle->check(vcpu, {kFetch, false, kFetchTlb, address, address, block.frame});
}

/// As for accesses.
void on_user_block(unsigned told, void* data) {
  const auto& block = *static_cast<const Block*>(data);
  Vcpu* vcpu = running_vcpu(told);
  const Verified* seen = verified(vcpu, block.address, kFetchTlb, kFetch);
  if (seen == nullptr || seen->frame != block.frame) return check_user_block(told, data);
  vcpu->instructions += block.instructions;
  vcpu->syscall = 0;
  ++vcpu->checked;
}

void on_syscall(unsigned told, void* data) {
  Vcpu& vcpu = vcpu_of(told);
  Registers& registers = plugin->registers[vcpu.index];
  Syscall call;
  call.number = registers.read(Register::kRax);
  constexpr std::array kArguments{Register::kRdi, Register::kRsi, Register::kRdx,
                                  Register::kR10, Register::kR8,  Register::kR9};
  // ioctl numbers and the like decide: read no more than is needed.
  if (call.number > 28 && call.number != 329) return;
  for (std::size_t i = 0; i < kArguments.size(); ++i) call.arguments[i] = registers.read(kArguments[i]);
  if (!may_promise(call)) return;
  const std::uint64_t thread = registers.read(Register::kRsp) ^ reinterpret_cast<std::uint64_t>(data);
  const std::uint64_t before = plugin->oracle->changes_so_far();
  const std::lock_guard<std::mutex> guard(plugin->calls_lock);
  vcpu.syscall = plugin->next_call++;
  plugin->calls[{paging(vcpu).root(), thread}] = {call, {before, vcpu.syscall}};
}

/// The instruction after a `syscall` is about to run; `data` is its address.
void on_syscall_return(unsigned told, void* data) {
  Vcpu& vcpu = vcpu_of(told);
  Registers& registers = plugin->registers[vcpu.index];
  std::pair<Syscall, std::array<std::uint64_t, 2>> made;
  {
    const std::lock_guard<std::mutex> guard(plugin->calls_lock);
    if (plugin->calls.empty()) return;
    const std::uint64_t thread = registers.read(Register::kRsp) ^ reinterpret_cast<std::uint64_t>(data);
    const auto found = plugin->calls.find({paging(vcpu).root(), thread});
    if (found == plugin->calls.end()) return;
    made = found->second;
    plugin->calls.erase(found);
  }
  const PagingState& state = paging(vcpu);
  const ReadWord read = [&state](std::uint64_t address) -> std::optional<std::uint64_t> {
    const Translation where = walk(plugin->oracle->memory(), state, address);
    if (!where.present) return std::nullopt;
    return plugin->oracle->memory().word((where.frame << kPageShift) + address % kPageBytes);
  };
  for (PromisedRange& range : promised(made.first, registers.read(Register::kRax), read)) {
    range.promise.vcpu = vcpu.index;
    plugin->oracle->promise(state.root(), range.page, range.pages, range.promise, made.second[0],
                            made.second[1]);
  }
}

void on_hook(unsigned told, void* data) {
  Vcpu& vcpu = vcpu_of(told);
  paging(vcpu);
  plugin->hooks->run(vcpu, plugin->registers[vcpu.index], *static_cast<const KernelHooks::Point*>(data));
}

/// The bytes of an instruction that decide what it is.
struct Code {
  std::array<std::uint8_t, 4> bytes{};
  explicit Code(const qemu_plugin_insn* insn) {
    std::array<std::uint8_t, 16> raw{};
    const std::size_t length = qemu_plugin_insn_data(insn, raw.data(), raw.size());
    // REX, operand-size and lock prefixes do not matter here.
    std::size_t at = 0;
    while (at < length && ((raw[at] & 0xf0) == 0x40 || raw[at] == 0x66 || raw[at] == 0xf0)) ++at;
    for (std::size_t i = 0; i < bytes.size() && at + i < length; ++i) bytes[i] = raw[at + i];
  }
  bool is_syscall() const { return bytes[0] == 0x0f && bytes[1] == 0x05; }
  /// mov to CR0, CR3, CR4
  bool writes_control() const {
    const unsigned which = bytes[2] >> 3U & 7U;
    return bytes[0] == 0x0f && bytes[1] == 0x22 && (which == 0 || which == 3 || which == 4);
  }
};

/// Blocks live as long as their code may, that is to the end; code that is translated again finds its old one.
Block* block_for(const Block& wanted) {
  static std::mutex lock;
  static std::unordered_map<std::uint64_t, std::vector<std::unique_ptr<Block>>> blocks;
  const std::lock_guard<std::mutex> guard(lock);
  auto& same_address = blocks[wanted.address];
  for (const auto& block : same_address) {
    if (block->frame == wanted.frame && block->instructions == wanted.instructions) return block.get();
  }
  same_address.push_back(std::make_unique<Block>(wanted));
  return same_address.back().get();
}

void instrument_block(qemu_plugin_tb* tb, std::size_t length) {
  const qemu_plugin_insn* first = qemu_plugin_tb_get_insn(tb, 0);
  const std::uint64_t address = qemu_plugin_insn_vaddr(first);
  const bool user = address < kUserEnd;
  const auto* host = static_cast<const std::uint8_t*>(qemu_plugin_insn_haddr(first));
  const std::optional<std::uint64_t> physical = plugin->oracle->memory().physical(host);
  const Block wanted{address, physical.value_or(0) >> kPageShift, length};
  if (user && physical) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_user_block, QEMU_PLUGIN_CB_R_REGS, block_for(wanted));
    // A system call that ended the block before this one, at least where both are on one page.
    if (*physical % kPageBytes >= 2 && host[-2] == 0x0f && host[-1] == 0x05)
      qemu_plugin_register_vcpu_tb_exec_cb(tb, on_syscall_return, QEMU_PLUGIN_CB_R_REGS,
                                           reinterpret_cast<void*>(address));
  } else if (plugin->full || plugin->icount >= 0) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_kernel_block, QEMU_PLUGIN_CB_NO_REGS, block_for(wanted));
  }
}

void on_translation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  static std::once_flag once;
  std::call_once(once, find_guest_ram);
  const std::size_t length = qemu_plugin_tb_n_insns(tb);
  instrument_block(tb, length);
  for (std::size_t i = 0; i < length; ++i) {
    qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const std::uint64_t address = qemu_plugin_insn_vaddr(insn);
    const bool user = address < kUserEnd;
    const Code code(insn);
    void* pc = reinterpret_cast<void*>(address);
    if (user) {
      qemu_plugin_register_vcpu_mem_cb(insn, on_user_load, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_R, pc);
      qemu_plugin_register_vcpu_mem_cb(insn, on_user_store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, pc);
    } else {
      qemu_plugin_register_vcpu_mem_cb(insn, on_kernel_store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, pc);
      if (plugin->full)
        qemu_plugin_register_vcpu_mem_cb(insn, on_kernel_load, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_R, pc);
    }
    if (code.writes_control())
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_control_write, QEMU_PLUGIN_CB_NO_REGS, nullptr);
    if (user && code.is_syscall())
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_syscall, QEMU_PLUGIN_CB_R_REGS,
                                             reinterpret_cast<void*>(address + 2));
    if (user) continue;
    if (const KernelHooks::Point* point = plugin->hooks->at(address, code.bytes[0]))
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_hook, QEMU_PLUGIN_CB_R_REGS,
                                             const_cast<KernelHooks::Point*>(point));
  }
}

void write(const std::string& name, const std::string& text) {
  std::ofstream file(plugin->out + "/" + name, std::ios::trunc);
  file << text;
  if (!file.flush()) std::fprintf(stderr, "oracle: cannot write %s/%s\n", plugin->out.c_str(), name.c_str());
}

void on_exit(qemu_plugin_id_t, void*) {
  if (plugin->oracle == nullptr) return;
  ReportSetup setup;
  setup.level = plugin->full ? "full" : "violations";
  setup.complete = true;
  setup.single = plugin->icount >= 0;
  setup.deferrals_visible = plugin->hooks->sees_deferrals();
  setup.kernel = &plugin->kernel;
  setup.program = &plugin->program;
  const Oracle::Numbers numbers = plugin->oracle->numbers();
  write("oracle.txt", report_text(setup, numbers, plugin->oracle->findings(), plugin->oracle->unknown()));
  write("oracle.json", report_json(setup, numbers, plugin->oracle->findings()));
}

void add_symbols(Symbols& symbols, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !symbols.add(text.str())) std::fprintf(stderr, "oracle: no symbols in %s\n", path.c_str());
  symbols.finish();
}

/// One "key=value"; false when it is not understood.
bool take_option(const std::string& option) {
  const std::size_t equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
  if (key == "level" && (value == "violations" || value == "full")) {
    plugin->full = value == "full";
  } else if (key == "out" && !value.empty()) {
    plugin->out = value;
  } else if (key == "vcpus" && std::atoi(value.c_str()) > 0) {
    plugin->vcpus.resize(static_cast<std::size_t>(std::atoi(value.c_str())));
  } else if (key == "icount") {
    plugin->icount = std::atoi(value.c_str());
  } else if (key == "ram" && !value.empty()) {
    plugin->ram = value;
  } else if (key == "kernel") {
    add_symbols(plugin->kernel, value);
  } else if (key == "program") {
    add_symbols(plugin->program, value);
  } else {
    return false;
  }
  return true;
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "oracle: %s\n", why.c_str());
  return 1;
}

int install(qemu_plugin_id_t id, const qemu_info_t& info, int count, char** options) {
  if (info.version.cur != kApiVersion)
    return refuse("this QEMU has plugin interface " + std::to_string(info.version.cur) +
                  ", the oracle knows only " + std::to_string(kApiVersion) + " (QEMU 10.0)");
  if (!info.system_emulation || std::string(info.target_name) != "x86_64")
    return refuse("it judges x86_64 system emulation only");
  plugin = new Plugin;  // as long as QEMU lives
  for (int i = 0; i < count; ++i) {
    if (!take_option(options[i])) return refuse(std::string("unknown option ") + options[i]);
  }
  if (plugin->out.empty() || plugin->vcpus.empty()) return refuse("the options out and vcpus are needed");
  plugin->registers = std::make_unique<Registers[]>(plugin->vcpus.size());
  for (std::size_t i = 0; i < plugin->vcpus.size(); ++i) plugin->vcpus[i].index = static_cast<unsigned>(i);
  if (plugin->icount >= 0) {
    plugin->get_cpu = reinterpret_cast<void* (*)(int)>(::dlsym(RTLD_DEFAULT, "qemu_get_cpu"));
    if (plugin->get_cpu == nullptr || ::dlsym(RTLD_DEFAULT, "current_cpu") == nullptr)
      return refuse(
          "with icount it needs a QEMU that exports current_cpu and qemu_get_cpu, as Debian's does");
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}

}  // namespace
}  // namespace luf::oracle

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = luf::kApiVersion;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info,
                                                               int count, char** options) {
  return luf::oracle::install(id, *info, count, options);
}
}
