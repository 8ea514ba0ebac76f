#include "lib/page_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/page_file.h"

namespace luf::guest {

namespace {

constexpr auto kWholePage = static_cast<ssize_t>(kPageSize);

alignas(kPageSize) std::array<std::uint64_t, kPageSize / sizeof(std::uint64_t)> page_data;

void must(PartContext& context, bool done, const char* what) {
  if (!done) context.fail("%s: %s", what, std::strerror(errno));
}

PageStore by_cpu(PartContext& context) {
  return [&context](char* alias, std::uint64_t index, std::uint64_t version) {
    restamp_page(alias + index * kPageSize, context.owner(), index, version);
  };
}

PageStore by_vm_writev(PartContext& context) {
  return [&context](char* alias, std::uint64_t index, std::uint64_t version) {
    fill_page(page_data.data(), context.owner(), index, version);
    const iovec from{page_data.data(), kPageSize};
    const iovec to{alias + index * kPageSize, kPageSize};
    must(context, process_vm_writev(getpid(), &from, 1, &to, 1, 0) == kWholePage, "process_vm_writev");
  };
}

PageStore by_mem(PartContext& context) {
  const int fd = open_page_file(context, "/proc/self/mem", O_RDWR);
  return [&context, fd](char* alias, std::uint64_t index, std::uint64_t version) {
    fill_page(page_data.data(), context.owner(), index, version);
    const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(alias + index * kPageSize));
    must(context, pwrite(fd, page_data.data(), kPageSize, at) == kWholePage, "write to /proc/self/mem");
  };
}

/// A copy of this process, stopped for good. Its page tables do not have the shared page yet: the first word poked is a
/// fault, and the entry goes with the process, so that nobody may store to the page afterwards.
pid_t start_tracee(PartContext& context) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(0);
  }
  must(context, child > 0 && waitpid(child, nullptr, 0) == child, "start a process to trace");
  return child;
}

PageStore by_ptrace(PartContext& context) {
  return [&context](char* alias, std::uint64_t index, std::uint64_t version) {
    const pid_t child = start_tracee(context);
    fill_page(page_data.data(), context.owner(), index, version);
    for (std::size_t line = 0; line < kLinesPerPage; ++line) {
      for (const std::size_t word : {offsetof(Line, version), offsetof(Line, checksum)}) {
        const std::size_t at = line * kWordsPerLine + word / sizeof(std::uint64_t);
        must(context,
             ptrace(PTRACE_POKEDATA, child, alias + index * kPageSize + at * sizeof(std::uint64_t),
                    page_data[at]) == 0,
             "PTRACE_POKEDATA");
      }
    }
    kill(child, SIGKILL);
    must(context, waitpid(child, nullptr, 0) == child, "end the traced process");
  };
}

PageStore by_direct_read(PartContext& context) {
  const int fd = open_page_file(context, "/mnt/" + context.id() + ".source", O_RDWR | O_CREAT | O_DIRECT);
  return [&context, fd](char* alias, std::uint64_t index, std::uint64_t version) {
    fill_page(page_data.data(), context.owner(), index, version);
    must(context, pwrite(fd, page_data.data(), kPageSize, 0) == kWholePage,
         "write the source of direct reads");
    must(context, pread(fd, alias + index * kPageSize, kPageSize, 0) == kWholePage, "direct read");
  };
}

}  // namespace

PageStore open_page_store(PartContext& context, std::string_view by) {
  if (by == "vm_writev") return by_vm_writev(context);
  if (by == "mem") return by_mem(context);
  if (by == "ptrace") return by_ptrace(context);
  if (by == "direct_read") return by_direct_read(context);
  return by_cpu(context);
}

}  // namespace luf::guest
