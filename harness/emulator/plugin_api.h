// QEMU's plugin interface, version 4 (QEMU 9.2 and 10.0), as far as our plugins use it: own declarations, for no package
// of Debian carries the header. QEMU resolves the functions when it loads a plugin.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luf {

/// The one version these declarations were written for. In 5 and later the rules for reading registers differ.
inline constexpr int kApiVersion = 4;

}  // namespace luf

extern "C" {

// Of GLib, which QEMU brings: only the two members that it documents as public.
struct GArray {
  char* data;
  unsigned len;
};
struct GByteArray {
  std::uint8_t* data;
  unsigned len;
};
GByteArray* g_byte_array_new(void);
GByteArray* g_byte_array_set_size(GByteArray* array, unsigned length);
char* g_array_free(GArray* array, int free_segment);

typedef std::uint64_t qemu_plugin_id_t;
typedef std::uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;

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

struct qemu_plugin_reg_descriptor {
  qemu_plugin_register* handle;
  const char* name;
  const char* feature;
};

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W };
enum qemu_plugin_mem_value_type { QEMU_PLUGIN_MEM_VALUE_U64 = 3 };

struct qemu_plugin_mem_value {
  int type;  ///< log2 of the bytes
  union {
    std::uint8_t u8;
    std::uint16_t u16;
    std::uint32_t u32;
    std::uint64_t u64;
    struct {
      std::uint64_t low;
      std::uint64_t high;
    } u128;
  } data;
};

typedef void (*qemu_plugin_tb_trans_cb)(qemu_plugin_id_t id, qemu_plugin_tb* tb);
typedef void (*qemu_plugin_exec_cb)(unsigned vcpu, void* data);
typedef void (*qemu_plugin_mem_cb)(unsigned vcpu, qemu_plugin_meminfo_t info, std::uint64_t address,
                                   void* data);
typedef void (*qemu_plugin_atexit_cb)(qemu_plugin_id_t id, void* data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_trans_cb callback);
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* tb, qemu_plugin_exec_cb callback,
                                          qemu_plugin_cb_flags flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn* insn, qemu_plugin_exec_cb callback,
                                            qemu_plugin_cb_flags flags, void* data);
void qemu_plugin_register_vcpu_mem_cb(qemu_plugin_insn* insn, qemu_plugin_mem_cb callback,
                                      qemu_plugin_cb_flags flags, qemu_plugin_mem_rw rw, void* data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_atexit_cb callback, void* data);

std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* tb);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* tb, std::size_t index);
std::size_t qemu_plugin_insn_data(const qemu_plugin_insn* insn, void* to, std::size_t length);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn* insn);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn* insn);
void* qemu_plugin_insn_haddr(const qemu_plugin_insn* insn);

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);
qemu_plugin_mem_value qemu_plugin_mem_get_value(qemu_plugin_meminfo_t info);
qemu_plugin_hwaddr* qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, std::uint64_t address);
bool qemu_plugin_hwaddr_is_io(const qemu_plugin_hwaddr* address);
std::uint64_t qemu_plugin_hwaddr_phys_addr(const qemu_plugin_hwaddr* address);

GArray* qemu_plugin_get_registers(void);
int qemu_plugin_read_register(qemu_plugin_register* handle, GByteArray* buffer);
void qemu_plugin_outs(const char* text);

// No part of the plugin interface, but exported by builds with modules, as Debian's are: looked up when the plugin loads.
extern thread_local void* current_cpu __attribute__((weak));
void cpu_exit(void* cpu) __attribute__((weak));
void* qemu_get_cpu(int index) __attribute__((weak));
int vm_stop(int state) __attribute__((weak));
}
