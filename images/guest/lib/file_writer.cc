#include "lib/file_writer.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include "lib/page_file.h"

namespace luf::guest {

namespace {

constexpr auto kWholePage = static_cast<long>(kPageSize);

[[noreturn]] void fail_write(PartContext& context, const char* call, long result) {
  context.fail("%s: %s", call, result < 0 ? std::strerror(static_cast<int>(-result)) : "cut short");
}

/// What is one system call.
class CallWriter : public FileWriter {
 public:
  /// Returns what the system call did.
  using Call = std::function<ssize_t(const void* page, off_t offset)>;
  CallWriter(PartContext& context, std::string_view name, Call call)
      : context_(context), name_(name), call_(std::move(call)) {}
  void write(const void* page, std::uint64_t offset) override {
    const ssize_t done = call_(page, static_cast<off_t>(offset));
    if (done != kWholePage) fail_write(context_, name_.c_str(), done < 0 ? -errno : done);
  }

 private:
  PartContext& context_;
  std::string name_;
  Call call_;
};

CallWriter::Call by_pwrite(int fd) {
  return [fd](const void* page, off_t offset) { return pwrite(fd, page, kPageSize, offset); };
}

/// By a vector of two halves, at the file position or with an offset and a flag.
CallWriter::Call by_vector(int fd, bool positioned) {
  return [fd, positioned](const void* page, off_t offset) {
    auto* bytes = static_cast<char*>(const_cast<void*>(page));
    const iovec halves[] = {{bytes, kPageSize / 2}, {bytes + kPageSize / 2, kPageSize / 2}};
    if (positioned) return pwritev2(fd, halves, 2, offset, RWF_DSYNC);
    return lseek(fd, offset, SEEK_SET) < 0 ? ssize_t{-1} : writev(fd, halves, 2);
  };
}

/// From a pipe.
CallWriter::Call by_splice(PartContext& context, int fd) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) context.fail("pipe: %s", std::strerror(errno));
  return [fd, ends](const void* page, off_t offset) {
    if (write(ends[1], page, kPageSize) != kWholePage) return ssize_t{-1};
    loff_t at = offset;
    return splice(ends[0], nullptr, fd, &at, kPageSize, 0);
  };
}

/// From another file of the same file system, which is given the page first.
CallWriter::Call by_copy(PartContext& context, const std::string& path, int fd, bool by_sendfile) {
  const int source = open_page_file(context, path + ".source", O_RDWR | O_CREAT);
  return [fd, source, by_sendfile](const void* page, off_t offset) {
    if (pwrite(source, page, kPageSize, 0) != kWholePage) return ssize_t{-1};
    off_t from = 0;
    if (!by_sendfile) {
      loff_t at = offset;
      return copy_file_range(source, &from, fd, &at, kPageSize, 0);
    }
    return lseek(fd, offset, SEEK_SET) < 0 ? ssize_t{-1} : sendfile(fd, source, &from, kPageSize);
  };
}

CallWriter::Call by_clone(PartContext& context, const std::string& path, int fd) {
  const int source = open_page_file(context, path + ".source", O_RDWR | O_CREAT);
  return [fd, source](const void* page, off_t offset) {
    if (pwrite(source, page, kPageSize, 0) != kWholePage) return ssize_t{-1};
    file_clone_range range{};
    range.src_fd = source;
    range.src_length = kPageSize;
    range.dest_offset = static_cast<std::uint64_t>(offset);
    return ioctl(fd, FICLONERANGE, &range) == 0 ? kWholePage : ssize_t{-1};
  };
}

/// What was written is then shared with a copy, from which the next write takes it away again.
CallWriter::Call by_dedupe(PartContext& context, const std::string& path, int fd) {
  const int source = open_page_file(context, path + ".source", O_RDWR | O_CREAT);
  return [fd, source](const void* page, off_t offset) {
    if (pwrite(source, page, kPageSize, 0) != kWholePage || pwrite(fd, page, kPageSize, offset) != kWholePage)
      return ssize_t{-1};
    alignas(file_dedupe_range) std::array<char, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)>
        request{};
    auto* range = reinterpret_cast<file_dedupe_range*>(request.data());
    range->src_length = kPageSize;
    range->dest_count = 1;
    range->info[0].dest_fd = fd;
    range->info[0].dest_offset = static_cast<std::uint64_t>(offset);
    if (ioctl(source, FIDEDUPERANGE, range) != 0) return ssize_t{-1};
    if (range->info[0].status < 0) errno = -range->info[0].status;
    return range->info[0].status < 0 ? ssize_t{-1} : static_cast<ssize_t>(range->info[0].bytes_deduped);
  };
}

/// A direct write to a loop device over the file: its driver has written to the file when the call returns.
CallWriter::Call by_loop(PartContext& context, int fd) {
  const int control = open_page_file(context, "/dev/loop-control", O_RDWR);
  const int number = ioctl(control, LOOP_CTL_GET_FREE);
  close(control);
  const std::string node = "/dev/loop" + std::to_string(number);
  const int device = open_page_file(context, node, O_RDWR);
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(fd);
  config.block_size = kPageSize;
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;  // gone with the last descriptor
  if (ioctl(device, LOOP_CONFIGURE, &config) != 0)
    context.fail("set up %s: %s", node.c_str(), std::strerror(errno));
  return by_pwrite(open_page_file(context, node, O_RDWR | O_DIRECT));
}

/// io_submit(2): the kernel ends such a write without the end of a write(2).
class AioWriter : public FileWriter {
 public:
  AioWriter(PartContext& context, int fd) : context_(context), fd_(fd) {
    if (syscall(SYS_io_setup, 1, &queue_) != 0) context.fail("io_setup: %s", std::strerror(errno));
  }
  void write(const void* page, std::uint64_t offset) override {
    iocb request{};
    request.aio_lio_opcode = IOCB_CMD_PWRITE;
    request.aio_fildes = static_cast<std::uint32_t>(fd_);
    request.aio_buf = reinterpret_cast<std::uint64_t>(page);
    request.aio_nbytes = kPageSize;
    request.aio_offset = static_cast<std::int64_t>(offset);
    iocb* requests[] = {&request};
    io_event done{};
    if (syscall(SYS_io_submit, queue_, 1L, requests) != 1)
      context_.fail("io_submit: %s", std::strerror(errno));
    while (syscall(SYS_io_getevents, queue_, 1L, 1L, &done, nullptr) != 1) {
      if (errno != EINTR) context_.fail("io_getevents: %s", std::strerror(errno));
    }
    if (done.res != kWholePage) fail_write(context_, "aio write", static_cast<long>(done.res));
  }

 private:
  PartContext& context_;
  int fd_;
  aio_context_t queue_ = 0;
};

/// io_uring with one request at a time.
class RingWriter : public FileWriter {
 public:
  RingWriter(PartContext& context, int fd) : context_(context), fd_(fd) {
    io_uring_params params{};
    ring_ = static_cast<int>(syscall(SYS_io_uring_setup, 1, &params));
    if (ring_ < 0) context.fail("io_uring_setup: %s", std::strerror(errno));
    char* submission =
        map(params.sq_off.array + params.sq_entries * sizeof(std::uint32_t), IORING_OFF_SQ_RING);
    char* completion = map(params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    entry_ = reinterpret_cast<io_uring_sqe*>(map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    submit_tail_ = reinterpret_cast<std::uint32_t*>(submission + params.sq_off.tail);
    reinterpret_cast<std::uint32_t*>(submission + params.sq_off.array)[0] = 0;
    done_head_ = reinterpret_cast<std::uint32_t*>(completion + params.cq_off.head);
    done_mask_ = *reinterpret_cast<std::uint32_t*>(completion + params.cq_off.ring_mask);
    done_ = reinterpret_cast<io_uring_cqe*>(completion + params.cq_off.cqes);
  }
  void write(const void* page, std::uint64_t offset) override {
    *entry_ = {};
    entry_->opcode = IORING_OP_WRITE;
    entry_->fd = fd_;
    entry_->addr = reinterpret_cast<std::uint64_t>(page);
    entry_->len = kPageSize;
    entry_->off = offset;
    __atomic_store_n(submit_tail_, *submit_tail_ + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1)
      context_.fail("io_uring_enter: %s", std::strerror(errno));
    const std::int32_t result = done_[*done_head_ & done_mask_].res;
    __atomic_store_n(done_head_, *done_head_ + 1, __ATOMIC_RELEASE);
    if (result != kWholePage) fail_write(context_, "io_uring write", result);
  }

 private:
  char* map(std::size_t length, off_t offset) {
    void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_, offset);
    if (at == MAP_FAILED) context_.fail("mmap of the ring: %s", std::strerror(errno));
    return static_cast<char*>(at);
  }

  PartContext& context_;
  int fd_;
  int ring_ = -1;
  io_uring_sqe* entry_ = nullptr;
  std::uint32_t* submit_tail_ = nullptr;
  std::uint32_t* done_head_ = nullptr;
  std::uint32_t done_mask_ = 0;
  io_uring_cqe* done_ = nullptr;
};

CallWriter::Call call_for(PartContext& context, std::string_view via, const std::string& path, int fd) {
  if (via == "writev" || via == "pwritev2") return by_vector(fd, via == "pwritev2");
  if (via == "splice") return by_splice(context, fd);
  if (via == "sendfile" || via == "copy_range") return by_copy(context, path, fd, via == "sendfile");
  if (via == "loop") return by_loop(context, fd);
  if (via == "clone") return by_clone(context, path, fd);
  if (via == "dedupe") return by_dedupe(context, path, fd);
  return by_pwrite(fd);
}

}  // namespace

std::unique_ptr<FileWriter> open_file_writer(PartContext& context, std::string_view via,
                                             const std::string& path) {
  const int fd = open_page_file(context, path, via == "direct" ? O_RDWR | O_DIRECT : O_RDWR);
  if (via == "aio") return std::make_unique<AioWriter>(context, fd);
  if (via == "io_uring") return std::make_unique<RingWriter>(context, fd);
  return std::make_unique<CallWriter>(context, via, call_for(context, via, path, fd));
}

}  // namespace luf::guest
