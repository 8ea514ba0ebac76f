// The same machine as qemu_command.h makes, in libvirt's words, as a pure function.
#pragma once

#include <string>

#include "machine/qemu_command.h"

namespace luf::machine {

/// What libvirt needs to know beside the machine.
struct DomainPlace {
  std::string name;      ///< of the domain
  std::string emulator;  ///< absolute path
  std::string owner;     ///< "+UID:+GID" that QEMU is to run as, or empty: libvirt's own choice
};

/// A transient domain. What XML cannot say, or what libvirt would hand to a daemon that cuts files short (the serial
/// ports), is passed through to QEMU. Only for Origin::kBoot without icount. Thread: any.
std::string domain_xml(const QemuSetup& setup, const DomainPlace& place);

}  // namespace luf::machine
