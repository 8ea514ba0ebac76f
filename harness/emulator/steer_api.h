// What luf-steer uses of QEMU's plugin interface, version 4 (QEMU 10.0). Debian ships no header for it.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info_t {
  const char* target_name;
  struct {
    int min;
    int cur;
  } version;
  bool system_emulation;
  struct {
    int smp_vcpus;
    int max_vcpus;
  } system;
};

using PluginId = std::uint64_t;
constexpr int kNoRegisters = 0;

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId id, void (*callback)(PluginId, qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* tb, void (*callback)(unsigned, void*), int flags,
                                          void* data);
void qemu_plugin_register_atexit_cb(PluginId id, void (*callback)(PluginId, void*), void* data);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* tb);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* tb, std::size_t index);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn* insn);
std::size_t qemu_plugin_insn_data(const qemu_plugin_insn* insn, void* to, std::size_t size);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn* insn);
void qemu_plugin_outs(const char* text);

// No part of the plugin interface, but exported by builds with modules, as Debian's are: looked up when the plugin loads.
extern thread_local void* current_cpu __attribute__((weak));
void cpu_exit(void* cpu) __attribute__((weak));
void* qemu_get_cpu(int index) __attribute__((weak));
int vm_stop(int state) __attribute__((weak));
}
