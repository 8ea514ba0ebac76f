#include "machine/domain_xml.h"

#include <fmt/format.h>

namespace luf::machine {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char character : text) {
    switch (character) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += character;
    }
  }
  return out;
}

std::string slow_cell(const QemuSetup& setup) {
  std::string text = fmt::format("      <cell id='{}' memory='{}' unit='MiB'/>\n      <interconnects>\n",
                                 setup.nodes, setup.slow_memory >> 20U);
  for (const Reach& reach : reaches(setup)) {
    const std::string pair = fmt::format("initiator='{}' target='{}' type='access'", reach.from, reach.to);
    text +=
        fmt::format("        <latency {0} value='{1}'/>\n        <bandwidth {0} value='{2}' unit='MiB'/>\n",
                    pair, reach.latency_ns, reach.mebibytes_per_s);
  }
  return text + "      </interconnects>\n";
}

/// As qemu_command does it: one socket a CPU, every node its share of CPUs and memory.
std::string processor(const QemuSetup& setup, std::uint64_t share) {
  std::string text;
  if (setup.accel == Accel::kTcg) {
    text =
        "  <cpu mode='maximum'>\n"
        "    <feature policy='disable' name='la57'/>\n"
        "    <feature policy='disable' name='pku'/>\n";
  } else {
    text = "  <cpu mode='host-passthrough'>\n";
  }
  text +=
      fmt::format("    <topology sockets='{}' dies='1' cores='1' threads='1'/>\n    <numa>\n", setup.cpus);
  for (std::int64_t node = 0; node < setup.nodes; ++node) {
    text += fmt::format("      <cell id='{}' cpus='{}' memory='{}' unit='MiB'/>\n", node,
                        cpu_range(setup.cpus, setup.nodes, node), share);
  }
  if (setup.slow_memory > 0) text += slow_cell(setup);
  return text + "    </numa>\n  </cpu>\n";
}

std::string direct_boot(const QemuSetup& setup) {
  return fmt::format(
      "  <os>\n"
      "    <type arch='x86_64' machine='q35'>hvm</type>\n"
      "    <kernel>{}</kernel>\n"
      "    <initrd>{}</initrd>\n"
      "    <cmdline>{}</cmdline>\n"
      "  </os>\n",
      escaped(setup.kernel.string()), escaped(setup.initramfs.string()), escaped(kernel_cmdline(setup)));
}

/// Everything that libvirt would add by itself is said not to be there.
std::string devices(const DomainPlace& place) {
  return fmt::format(
      "  <devices>\n"
      "    <emulator>{}</emulator>\n"
      "    <controller type='usb' model='none'/>\n"
      "    <memballoon model='none'/>\n"
      "    <audio id='1' type='none'/>\n"
      "    <video><model type='none'/></video>\n"
      "  </devices>\n",
      escaped(place.emulator));
}

std::string passed_through(const QemuSetup& setup) {
  std::string text = "  <qemu:commandline>\n";
  for (const std::string& word : device_words(setup))
    text += fmt::format("    <qemu:arg value='{}'/>\n", escaped(word));
  return text + "  </qemu:commandline>\n";
}

}  // namespace

std::string domain_xml(const QemuSetup& setup, const DomainPlace& place) {
  const std::uint64_t share = node_mebibytes(setup);
  const std::string most = setup.devices.contains(Device::kHotMemory)
                               ? fmt::format("  <maxMemory unit='MiB' slots='1'>{}</maxMemory>\n",
                                             all_mebibytes(setup) + kHotMemoryMebibytes)
                               : std::string();
  std::string text = fmt::format(
      "<domain type='{}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
      "  <name>{}</name>\n"
      "{}  <memory unit='MiB' dumpCore='off'>{}</memory>\n"
      "  <vcpu>{}</vcpu>\n",
      setup.accel == Accel::kTcg ? "qemu" : "kvm", escaped(place.name), most, all_mebibytes(setup),
      setup.cpus);
  text += direct_boot(setup);
  text += "  <features><acpi/><apic/><smm state='off'/></features>\n";
  text += processor(setup, share);
  text +=
      "  <on_poweroff>destroy</on_poweroff>\n"
      "  <on_reboot>destroy</on_reboot>\n"
      "  <on_crash>destroy</on_crash>\n";
  text += devices(place);
  if (!place.owner.empty())
    text += fmt::format("  <seclabel type='static' model='dac' relabel='no'><label>{}</label></seclabel>\n",
                        place.owner);
  return text + passed_through(setup) + "</domain>\n";
}

}  // namespace luf::machine
