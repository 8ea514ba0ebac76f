// What a killed lufbed leaves behind.
#pragma once

#include <string>
#include <vector>

namespace luf::run {

/// Ends and removes what no living lufbed owns: QEMUs of libvirt's embedded driver (a QEMU of our own dies with its
/// lufbed, a daemon destroys the domains of a lost connection), scratch files in $TMPDIR, half-made templates in the
/// cache. Run directories stay: they say "incomplete". Returns a sentence for each. Thread: any.
std::vector<std::string> clean_leftovers();

}  // namespace luf::run
