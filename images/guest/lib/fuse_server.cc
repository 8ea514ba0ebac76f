#include "lib/fuse_server.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/page_file.h"

namespace luf::guest {

/// Partners: the server, and change() in the part. They meet only in `bytes`, a page at a time; the kernel asks for a page
/// of which half is changed only when nobody was promised anything of it yet.
struct FuseFile {
  static constexpr std::uint64_t kMaxBytes = 64 * kPageSize;
  char name[64];
  bool linked;
  std::uint64_t size;
  alignas(kPageSize) char bytes[kMaxBytes];
};

namespace {

constexpr std::size_t kFiles = 64;
constexpr std::uint64_t kFirstNode = FUSE_ROOT_ID + 1;  ///< of files_[0]
constexpr std::uint64_t kForever = 1'000'000;           ///< seconds for which names and attributes hold
constexpr std::uint32_t kMaxWrite = 32 * kPageSize;

/// What the part asks of the thread that sends notifications.
struct NotifyRequest {
  int code;
  std::uint64_t node;
  std::uint64_t offset;
};

class Server {
 public:
  Server(PartContext& context, FuseFile* files, bool writeback)
      : context_(context), files_(files), writeback_(writeback) {}

  void mount_at(const std::string& directory) {
    fd_ = open_page_file(context_, "/dev/fuse", O_RDWR);
    const std::string options = "fd=" + std::to_string(fd_) + ",rootmode=40000,user_id=0,group_id=0";
    if (mount("fuse", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
      context_.fail("mount a FUSE file system: %s", std::strerror(errno));
  }
  /// Answers the kernel until the file system is gone.
  void serve();
  /// Sends what is asked for, until the part is gone. A notification may wait for a page that serve() has to fill.
  void send_notifications(int requests, int results);

 private:
  void handle(const fuse_in_header& in, const char* argument);
  void reply(const fuse_in_header& in, int error, const iovec* parts = nullptr, int count = 0);
  template <typename Out>
  void reply_with(const fuse_in_header& in, const Out& out) {
    const iovec part{const_cast<Out*>(&out), sizeof(out)};
    reply(in, 0, &part, 1);
  }
  void answer_init(const fuse_in_header& in, const fuse_init_in& request);
  void answer_lookup(const fuse_in_header& in, std::string_view name);
  void answer_create(const fuse_in_header& in, std::string_view name);
  void answer_unlink(const fuse_in_header& in, std::string_view name);
  void answer_setattr(const fuse_in_header& in, const fuse_setattr_in& request);
  void answer_read(const fuse_in_header& in, const fuse_read_in& request);
  void answer_write(const fuse_in_header& in, const fuse_write_in& request, const char* data);
  void answer_fallocate(const fuse_in_header& in, const fuse_fallocate_in& request);

  FuseFile* find(std::string_view name) const {
    FuseFile* end = files_ + kFiles;
    FuseFile* found =
        std::find_if(files_, end, [&](const FuseFile& file) { return file.linked && file.name == name; });
    return found == end ? nullptr : found;
  }
  FuseFile& of(const fuse_in_header& in) const { return files_[in.nodeid - kFirstNode]; }
  fuse_attr attributes(std::uint64_t node) const;
  fuse_entry_out entry(const FuseFile& file) const;

  PartContext& context_;
  FuseFile* files_;
  bool writeback_;
  int fd_ = -1;
  std::size_t created_ = 0;  ///< a place is used once: a new file is a new inode
};

void Server::reply(const fuse_in_header& in, int error, const iovec* parts, int count) {
  fuse_out_header out{sizeof(out), error, in.unique};
  std::array<iovec, 3> all{{{&out, sizeof(out)}}};
  for (int i = 0; i < count; ++i) {
    all[static_cast<std::size_t>(i) + 1] = parts[i];
    out.len += static_cast<std::uint32_t>(parts[i].iov_len);
  }
  // ENOENT: nobody waits for this answer any more.
  if (writev(fd_, all.data(), count + 1) < 0 && errno != ENOENT)
    context_.fail("answer FUSE request %u: %s", in.opcode, std::strerror(errno));
}

fuse_attr Server::attributes(std::uint64_t node) const {
  fuse_attr attr{};
  attr.ino = node;
  attr.nlink = 1;
  attr.blksize = kPageSize;
  attr.mode = S_IFDIR | 0700;
  if (node == FUSE_ROOT_ID) return attr;
  attr.mode = S_IFREG | 0700;
  attr.size = files_[node - kFirstNode].size;
  attr.blocks = (attr.size + 511) / 512;
  return attr;
}

fuse_entry_out Server::entry(const FuseFile& file) const {
  fuse_entry_out out{};
  out.nodeid = kFirstNode + static_cast<std::uint64_t>(&file - files_);
  out.generation = 1;
  out.entry_valid = kForever;
  out.attr_valid = kForever;
  out.attr = attributes(out.nodeid);
  return out;
}

void Server::answer_init(const fuse_in_header& in, const fuse_init_in& request) {
  fuse_init_out out{};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = std::min<std::uint32_t>(request.minor, FUSE_KERNEL_MINOR_VERSION);
  out.max_readahead = 0;  // every page stays a folio of its own
  out.flags = FUSE_BIG_WRITES | (writeback_ ? FUSE_WRITEBACK_CACHE : 0);
  out.max_write = kMaxWrite;
  out.time_gran = 1;
  reply_with(in, out);
}

void Server::answer_lookup(const fuse_in_header& in, std::string_view name) {
  const FuseFile* file = find(name);
  if (file == nullptr) return reply(in, -ENOENT);
  reply_with(in, entry(*file));
}

void Server::answer_create(const fuse_in_header& in, std::string_view name) {
  if (created_ == kFiles || name.size() >= sizeof(FuseFile::name)) return reply(in, -ENOSPC);
  FuseFile& file = files_[created_++];
  name.copy(file.name, name.size());
  file.linked = true;
  fuse_entry_out node = entry(file);
  fuse_open_out handle{};
  handle.open_flags = FOPEN_KEEP_CACHE;
  const std::array<iovec, 2> parts{{{&node, sizeof(node)}, {&handle, sizeof(handle)}}};
  reply(in, 0, parts.data(), 2);
}

void Server::answer_unlink(const fuse_in_header& in, std::string_view name) {
  FuseFile* file = find(name);
  if (file != nullptr) file->linked = false;
  reply(in, file == nullptr ? -ENOENT : 0);
}

void Server::answer_setattr(const fuse_in_header& in, const fuse_setattr_in& request) {
  if ((request.valid & FATTR_SIZE) != 0) {
    if (request.size > FuseFile::kMaxBytes) return reply(in, -EFBIG);
    FuseFile& file = of(in);
    if (request.size < file.size) std::memset(file.bytes + request.size, 0, file.size - request.size);
    file.size = request.size;
  }
  fuse_attr_out out{};
  out.attr_valid = kForever;
  out.attr = attributes(in.nodeid);
  reply_with(in, out);
}

void Server::answer_read(const fuse_in_header& in, const fuse_read_in& request) {
  FuseFile& file = of(in);
  const std::uint64_t end = std::min(file.size, request.offset + request.size);
  const iovec part{file.bytes + request.offset, end > request.offset ? end - request.offset : 0};
  reply(in, 0, &part, 1);
}

void Server::answer_write(const fuse_in_header& in, const fuse_write_in& request, const char* data) {
  if (request.offset + request.size > FuseFile::kMaxBytes) return reply(in, -EFBIG);
  FuseFile& file = of(in);
  std::memcpy(file.bytes + request.offset, data, request.size);
  file.size = std::max(file.size, request.offset + request.size);
  reply_with(in, fuse_write_out{request.size, 0});
}

void Server::answer_fallocate(const fuse_in_header& in, const fuse_fallocate_in& request) {
  const bool zeroes = (request.mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
  if (!zeroes || request.offset + request.length > of(in).size) return reply(in, -EOPNOTSUPP);
  std::memset(of(in).bytes + request.offset, 0, request.length);
  reply(in, 0);
}

void Server::handle(const fuse_in_header& in, const char* argument) {
  switch (in.opcode) {
    case FUSE_INIT:
      return answer_init(in, *reinterpret_cast<const fuse_init_in*>(argument));
    case FUSE_LOOKUP:
      return answer_lookup(in, argument);
    case FUSE_CREATE:
      return answer_create(in, argument + sizeof(fuse_create_in));
    case FUSE_UNLINK:
      return answer_unlink(in, argument);
    case FUSE_GETATTR:
    case FUSE_SETATTR: {
      const fuse_setattr_in nothing{};
      const auto* request = reinterpret_cast<const fuse_setattr_in*>(argument);
      return answer_setattr(in, in.opcode == FUSE_GETATTR ? nothing : *request);
    }
    case FUSE_OPEN: {
      fuse_open_out out{};
      out.open_flags = FOPEN_KEEP_CACHE;
      return reply_with(in, out);
    }
    case FUSE_READ:
      return answer_read(in, *reinterpret_cast<const fuse_read_in*>(argument));
    case FUSE_WRITE:
      return answer_write(in, *reinterpret_cast<const fuse_write_in*>(argument),
                          argument + sizeof(fuse_write_in));
    case FUSE_FALLOCATE:
      return answer_fallocate(in, *reinterpret_cast<const fuse_fallocate_in*>(argument));
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_RELEASE:
      return reply(in, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;  // none has an answer
    default:
      return reply(in, -ENOSYS);
  }
}

void Server::serve() {
  alignas(8) static char buffer[2 * kMaxWrite];
  while (true) {
    const ssize_t length = read(fd_, buffer, sizeof(buffer));
    if (length >= static_cast<ssize_t>(sizeof(fuse_in_header)))
      handle(*reinterpret_cast<const fuse_in_header*>(buffer), buffer + sizeof(fuse_in_header));
    else if (errno == ENODEV)
      return;  // unmounted
    else if (errno != EINTR && errno != ENOENT && errno != EAGAIN)
      context_.fail("read /dev/fuse: %s", std::strerror(errno));
  }
}

void Server::send_notifications(int requests, int results) {
  NotifyRequest request{};
  while (read(requests, &request, sizeof(request)) == static_cast<ssize_t>(sizeof(request))) {
    FuseFile& file = files_[request.node - kFirstNode];
    const auto offset = static_cast<std::int64_t>(request.offset);
    fuse_notify_inval_inode_out invalid{request.node, offset, kPageSize};
    fuse_notify_store_out stored{request.node, request.offset, kPageSize, 0};
    const bool store = request.code == FUSE_NOTIFY_STORE;
    fuse_out_header out{};
    out.error = request.code;
    const std::array<iovec, 3> parts{{
        {&out, sizeof(out)},
        store ? iovec{&stored, sizeof(stored)} : iovec{&invalid, sizeof(invalid)},
        {file.bytes + request.offset, store ? kPageSize : 0},
    }};
    for (const iovec& part : parts) out.len += static_cast<std::uint32_t>(part.iov_len);
    const int error = writev(fd_, parts.data(), parts.size()) < 0 ? errno : 0;
    if (write(results, &error, sizeof(error)) != static_cast<ssize_t>(sizeof(error))) return;
  }
}

struct NotifyThread {
  Server* server;
  int requests;
  int results;
};

[[noreturn]] void run_server(PartContext& context, FuseFile* files, const std::string& directory,
                             bool writeback, const NotifyThread& ends) {
  static Server server(context, files, writeback);
  server.mount_at(directory);
  static NotifyThread notify{&server, ends.requests, ends.results};
  const auto send = [](void*) -> void* {
    notify.server->send_notifications(notify.requests, notify.results);
    return nullptr;
  };
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, send, nullptr) != 0) context.fail("cannot make the notifying thread");
  const int mounted = 0;
  if (write(ends.results, &mounted, sizeof(mounted)) < 0) _exit(1);
  server.serve();
  _exit(0);
}

}  // namespace

FuseServer::FuseServer(PartContext& context, bool writeback)
    : context_(context), directory_("/tmp/fuse." + context.id()) {
  umount2(directory_.c_str(), MNT_DETACH);
  if (mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
    context.fail("mkdir %s: %s", directory_.c_str(), std::strerror(errno));
  void* at = mmap(nullptr, kFiles * sizeof(FuseFile), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (at == MAP_FAILED || pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0)
    context.fail("prepare a FUSE server: %s", std::strerror(errno));
  files_ = static_cast<FuseFile*>(at);
  requests_ = to[1];
  results_ = from[0];
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) context.fail("fork: %s", std::strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !pin_to_cpu(context.worker_cpu(1))) _exit(1);
    run_server(context, files_, directory_, writeback, {nullptr, to[0], from[1]});
  }
  close(to[0]);
  close(from[1]);
  int mounted = 0;
  if (read(results_, &mounted, sizeof(mounted)) != static_cast<ssize_t>(sizeof(mounted)))
    context.fail("the FUSE server has not started");
}

FuseFile& FuseServer::file(std::string_view name) const {
  FuseFile* end = files_ + kFiles;
  FuseFile* found =
      std::find_if(files_, end, [&](const FuseFile& file) { return file.linked && file.name == name; });
  if (found == end) context_.fail("the FUSE server has no such file");
  return *found;
}

void FuseServer::change(std::string_view name, std::uint64_t offset, const void* page) const {
  std::memcpy(file(name).bytes + offset, page, kPageSize);
}

void FuseServer::notify(int code, std::string_view name, std::uint64_t offset) const {
  const NotifyRequest request{code, kFirstNode + static_cast<std::uint64_t>(&file(name) - files_), offset};
  int error = 0;
  if (write(requests_, &request, sizeof(request)) != static_cast<ssize_t>(sizeof(request)) ||
      read(results_, &error, sizeof(error)) != static_cast<ssize_t>(sizeof(error)))
    context_.fail("the FUSE server is gone");
  if (error != 0) context_.fail("FUSE notification %d: %s", code, std::strerror(error));
}

void FuseServer::invalidate(std::string_view name, std::uint64_t offset) const {
  notify(FUSE_NOTIFY_INVAL_INODE, name, offset);
}

void FuseServer::store(std::string_view name, std::uint64_t offset) const {
  notify(FUSE_NOTIFY_STORE, name, offset);
}

}  // namespace luf::guest
