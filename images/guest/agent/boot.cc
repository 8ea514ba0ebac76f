#include "agent/boot.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "agent/kernel_files.h"
#include "protocol/luf_sysfs.h"
#include "protocol/plan_device.h"

namespace luf::guest {

int open_event_port() {
  const int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -1;
  termios mode{};
  if (tcgetattr(fd, &mode) != 0) {
    close(fd);
    return -1;
  }
  cfmakeraw(&mode);
  mode.c_cflag |= CLOCAL;
  cfsetspeed(&mode, B115200);
  tcsetattr(fd, TCSANOW, &mode);
  return fd;
}

Topology probe_topology() {
  Topology topology;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0) topology.cpus = static_cast<unsigned>(CPU_COUNT(&cpus));
  unsigned long nodes[16] = {};
  if (syscall(SYS_get_mempolicy, nullptr, nodes, sizeof(nodes) * 8, nullptr, MPOL_F_MEMS_ALLOWED) == 0) {
    int count = 0;
    for (unsigned long word : nodes) count += std::popcount(word);
    topology.nodes = static_cast<unsigned>(std::max(count, 1));
  }
  return topology;
}

void emit_boot(EventStream& events) {
  mkdir("/sys", 0755);
  mount("sysfs", "/sys", "sysfs", 0, nullptr);
  utsname names{};
  uname(&names);
  struct sysinfo info = {};
  sysinfo(&info);
  char line[512];
  const int length = std::snprintf(
      line, sizeof(line),
      "{\"seq\":%llu,\"t_ns\":%llu,\"ev\":\"boot\",\"release\":\"%s\",\"cpus\":%u,\"nodes\":%u,"
      "\"memory_kib\":%llu,\"luf\":%s}\n",
      static_cast<unsigned long long>(events.next_seq()), static_cast<unsigned long long>(monotonic_ns()),
      names.release, static_cast<unsigned>(get_nprocs_conf()), probe_topology().nodes,
      static_cast<unsigned long long>(info.totalram) * info.mem_unit / 1024,
      exists(std::string(protocol::kLufDir)) ? "true" : "false");
  events.emit_text({line, static_cast<std::size_t>(length)});
}

namespace {

struct MountPoint {
  const char* type;
  const char* path;
  const char* options;
  bool required;
};

constexpr MountPoint kMounts[] = {
    {"proc", "/proc", nullptr, true},
    {"devtmpfs", "/dev", nullptr, true},
    {"tmpfs", "/dev/shm", nullptr, true},
    {"tmpfs", "/tmp", nullptr, true},
    {"debugfs", "/sys/kernel/debug", nullptr, false},
    {"cgroup2", "/sys/fs/cgroup", nullptr, true},
};

}  // namespace

std::vector<std::string> mount_all() {
  std::vector<std::string> problems;
  for (const MountPoint& point : kMounts) {
    mkdir(point.path, 0755);
    if (mount(point.type, point.path, point.type, 0, point.options) == 0 || errno == EBUSY || !point.required)
      continue;
    problems.push_back(std::string("mount ") + point.type + " on " + point.path + ": " +
                       std::strerror(errno));
  }
  const std::string memory = write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
  if (!memory.empty()) problems.push_back(memory);
  if (mkdir("/sys/fs/cgroup/lufbed", 0755) != 0 && errno != EEXIST) {
    problems.push_back(std::string("make the parts' cgroup: ") + std::strerror(errno));
  }
  write_text("/proc/self/oom_score_adj", "-1000");
  return problems;
}

namespace {

/// A process that keeps a CPU from idling.
class Spinner {
 public:
  Spinner() : pid_(fork()) {
    if (pid_ == 0)
      for (;;) asm volatile("pause");
  }
  ~Spinner() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;

 private:
  pid_t pid_;
};

}  // namespace

std::vector<std::string> start_cpus() {
  std::vector<std::string> problems;
  std::vector<std::string> switches;
  for (int cpu = 1; cpu < get_nprocs_conf(); ++cpu) {
    std::string online = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
    if (read_text(online) == "0\n") switches.push_back(std::move(online));
  }
  if (switches.empty()) return problems;
  // A CPU that starts measures how long a tick is; an idle CPU makes none.
  const Spinner ticks;
  for (const std::string& online : switches) {
    const std::string problem = write_text(online, "1");
    if (!problem.empty()) problems.push_back(problem);
  }
  return problems;
}

std::string module_parameters(std::string_view cmdline, std::string_view module) {
  std::string prefix(module);
  std::replace(prefix.begin(), prefix.end(), '-', '_');
  prefix += '.';
  std::string parameters;
  while (!cmdline.empty()) {
    const std::string_view word = cmdline.substr(0, cmdline.find_first_of(" \n"));
    cmdline.remove_prefix(std::min(word.size() + 1, cmdline.size()));
    if (!word.starts_with(prefix)) continue;
    if (!parameters.empty()) parameters += ' ';
    parameters += word.substr(prefix.size());
  }
  return parameters;
}

std::vector<std::string> load_modules() {
  std::vector<std::string> problems;
  std::string order = read_text("/modules/order");
  const std::string cmdline = order.empty() ? "" : read_text("/proc/cmdline");
  while (!order.empty()) {
    const std::string file = order.substr(0, order.find('\n'));
    order.erase(0, std::min(file.size() + 1, order.size()));
    if (file.empty()) continue;
    const std::string parameters =
        module_parameters(cmdline, std::string_view(file).substr(0, file.find(".ko")));
    const int fd = open(("/modules/" + file).c_str(), O_RDONLY | O_CLOEXEC);
    if ((fd < 0 || syscall(SYS_finit_module, fd, parameters.c_str(), 0) != 0) && errno != EEXIST) {
      problems.push_back("load module " + file + ": " + std::strerror(errno));
    }
    if (fd >= 0) close(fd);
  }
  return problems;
}

namespace {

std::uint64_t read_hex(const std::string& path) {
  return std::strtoull(read_text(path).c_str(), nullptr, 16);
}

/// Directory in sysfs of the device, empty when there is none.
std::string find_device(std::uint16_t vendor, std::uint16_t id) {
  const std::string root = "/sys/bus/pci/devices/";
  DIR* directory = opendir(root.c_str());
  if (directory == nullptr) return {};
  std::string found;
  while (const dirent* entry = readdir(directory)) {
    const std::string device = root + entry->d_name;
    if (entry->d_name[0] == '.') continue;
    if (read_hex(device + "/vendor") == vendor && read_hex(device + "/device") == id) {
      found = device;
      break;
    }
  }
  closedir(directory);
  return found;
}

}  // namespace

std::span<const std::byte> map_plan_device(std::string& problem) {
  const std::string device = find_device(protocol::kPlanDeviceVendor, protocol::kPlanDeviceId);
  if (device.empty()) {
    problem = "no plan device on the PCI bus";
    return {};
  }
  write_text(device + "/enable", "1");  // firmware may have left memory access off
  const int fd = open((device + "/resource2").c_str(), O_RDWR | O_CLOEXEC);
  void* at = fd < 0 ? MAP_FAILED : mmap(nullptr, protocol::kPlanDeviceSize, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) problem = "map " + device + "/resource2: " + std::strerror(errno);
  if (fd >= 0) close(fd);
  if (at == MAP_FAILED) return {};
  return {static_cast<const std::byte*>(at), protocol::kPlanDeviceSize};
}

std::string stop_machine() {
  const std::string device = find_device(protocol::kStopDeviceVendor, protocol::kStopDeviceId);
  if (device.empty()) return "no pvpanic-pci device on the PCI bus";
  write_text(device + "/enable", "1");
  // A BAR smaller than a page may begin inside one.
  const std::uint64_t start = read_hex(device + "/resource");
  const int fd = open((device + "/resource0").c_str(), O_RDWR | O_CLOEXEC);
  constexpr std::size_t kPage = 4096;
  void* at = fd < 0 ? MAP_FAILED : mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const int error = errno;
  if (fd >= 0) close(fd);
  if (at == MAP_FAILED) return "map " + device + "/resource0: " + std::strerror(error);
  static_cast<volatile std::uint8_t*>(at)[start % kPage] = protocol::kTemplateReady;
  munmap(at, kPage);
  return {};
}

}  // namespace luf::guest
