// The ways in which a page of a writable mapping gets new contents: by the program's own stores, or by the kernel on its
// behalf.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "lib/part_context.h"

namespace luf::guest {

/// `cpu`: stores. `vm_writev`: process_vm_writev. `mem`: a write to /proc/PID/mem. `ptrace`: POKEDATA by a process that
/// traces another one, which shares the mapping. `direct_read`: an O_DIRECT read from a file into the page.
inline constexpr std::array<std::string_view, 5> kStoreBy{"cpu", "vm_writev", "mem", "ptrace", "direct_read"};

/// Puts page `index` of the mapping that begins at `alias` into that version; all is done when it returns.
using PageStore = std::function<void(char* alias, std::uint64_t index, std::uint64_t version)>;

/// Call in the process that has the mapping, after it was made. Fails the part on an error.
PageStore open_page_store(PartContext& context, std::string_view by);

}  // namespace luf::guest
