#include "lib/file_writer.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/page_file.h"

namespace luf::guest {

namespace {

constexpr auto kWholePage = static_cast<long>(kPageSize);

[[noreturn]] void fail_write(PartContext& context, const char* call, long result) {
  context.fail("%s: %s", call, result < 0 ? std::strerror(static_cast<int>(-result)) : "cut short");
}

/// pwrite(2), buffered or direct as the descriptor is.
class CallWriter : public FileWriter {
 public:
  CallWriter(PartContext& context, int fd) : context_(context), fd_(fd) {}
  void write(const void* page, std::uint64_t offset) override {
    const ssize_t done = pwrite(fd_, page, kPageSize, static_cast<off_t>(offset));
    if (done != kWholePage) fail_write(context_, "pwrite", done < 0 ? -errno : done);
  }

 private:
  PartContext& context_;
  int fd_;
};

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

/// splice(2) from a pipe.
class SpliceWriter : public FileWriter {
 public:
  SpliceWriter(PartContext& context, int fd) : context_(context), fd_(fd) {
    if (pipe(pipe_) != 0) context.fail("pipe: %s", std::strerror(errno));
  }
  void write(const void* page, std::uint64_t offset) override {
    if (::write(pipe_[1], page, kPageSize) != kWholePage)
      context_.fail("write to the pipe: %s", std::strerror(errno));
    auto at = static_cast<loff_t>(offset);
    const ssize_t done = splice(pipe_[0], nullptr, fd_, &at, kPageSize, 0);
    if (done != kWholePage) fail_write(context_, "splice", done < 0 ? -errno : done);
  }

 private:
  PartContext& context_;
  int fd_;
  int pipe_[2] = {-1, -1};
};

}  // namespace

std::unique_ptr<FileWriter> open_file_writer(PartContext& context, std::string_view via,
                                             const std::string& path) {
  const int fd = open_page_file(context, path, via == "direct" ? O_RDWR | O_DIRECT : O_RDWR);
  if (via == "aio") return std::make_unique<AioWriter>(context, fd);
  if (via == "io_uring") return std::make_unique<RingWriter>(context, fd);
  if (via == "splice") return std::make_unique<SpliceWriter>(context, fd);
  return std::make_unique<CallWriter>(context, fd);
}

}  // namespace luf::guest
