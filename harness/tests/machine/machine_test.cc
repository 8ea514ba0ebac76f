#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "machine/process.h"
#include "machine/qemu_command.h"
#include "machine/tool.h"
#include "support/environment.h"
#include "support/temp_directory.h"

namespace luf::machine {
namespace {

using luf::testing::TempDirectory;
using std::chrono::seconds;

QemuSetup setup() {
  QemuSetup setup;
  setup.memory = std::uint64_t{513} << 20U;
  setup.cpus = 5;
  setup.nodes = 2;
  setup.plan = "/r/a,b";
  setup.cmdline = "x=1";
  return setup;
}

bool contains(const std::vector<std::string>& words, const std::string& wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

TEST(QemuCommand, shares_cpus_and_memory_among_the_nodes) {
  const std::vector<std::string> words = qemu_command(setup());
  EXPECT_TRUE(contains(words, "512M"));
  EXPECT_TRUE(contains(words, "memory-backend-ram,id=ram1,size=256M"));
  EXPECT_TRUE(contains(words, "node,nodeid=0,cpus=0-1,memdev=ram0"));
  EXPECT_TRUE(contains(words, "node,nodeid=1,cpus=2-4,memdev=ram1"));
}

TEST(QemuCommand, has_no_device_that_nobody_asks_for) {
  const std::vector<std::string> words = qemu_command(setup());
  for (const std::string& word : words) {
    EXPECT_EQ(word.find("virtio"), std::string::npos) << word;
    EXPECT_EQ(word.find("maxmem"), std::string::npos) << word;
    EXPECT_EQ(word.find("hmat"), std::string::npos) << word;
  }
  EXPECT_EQ(kernel_cmdline(setup()).find("memhp"), std::string::npos);
}

TEST(QemuCommand, adds_the_devices_that_injectors_act_on) {
  QemuSetup with = setup();
  with.devices = {Device::kBalloon, Device::kHotMemory, Device::kDisk};
  with.disk = "/r/a,b/disk.img";
  const std::vector<std::string> words = qemu_command(with);
  EXPECT_TRUE(contains(words, "virtio-balloon-pci,id=balloon0"));
  EXPECT_TRUE(contains(words, "512M,maxmem=640M"));
  EXPECT_TRUE(contains(words, "virtio-mem-pci,id=hot0,memdev=hot,node=0,requested-size=128M"));
  EXPECT_TRUE(contains(words, "file,node-name=disk-file,filename=/r/a,,b/disk.img"));
  EXPECT_NE(kernel_cmdline(with).find(" memhp_default_state=online_movable "), std::string::npos);
}

TEST(QemuCommand, says_how_slow_the_node_without_cpus_is) {
  QemuSetup with = setup();
  with.slow_memory = std::uint64_t{64} << 20U;
  const std::vector<std::string> words = qemu_command(with);
  EXPECT_TRUE(contains(words, "576M"));
  EXPECT_TRUE(contains(words, "q35,smm=off,dump-guest-core=off,hmat=on"));
  EXPECT_TRUE(contains(words, "node,nodeid=2,memdev=ram2,initiator=0"));
  EXPECT_TRUE(
      contains(words, "hmat-lb,initiator=1,target=2,hierarchy=memory,data-type=access-latency,latency=200"));
}

TEST(QemuCommand, doubles_commas_in_paths) {
  EXPECT_TRUE(
      contains(qemu_command(setup()), "memory-backend-file,id=plan,size=1M,share=on,mem-path=/r/a,,b"));
}

TEST(QemuCommand, loads_the_oracle_and_gives_it_memory_that_it_can_find) {
  QemuSetup with = setup();
  with.icount = 3;
  with.oracle = OracleSetup{"/b/p.so", "full", "/r/x,y", "/k/vmlinux", ""};
  const std::vector<std::string> words = qemu_command(with);
  EXPECT_TRUE(contains(words, "/b/p.so,level=full,out=/r/x,,y,vcpus=5,icount=3,kernel=/k/vmlinux"));
  EXPECT_TRUE(contains(words, "memory-backend-memfd,id=ram1,size=256M"));
  EXPECT_FALSE(contains(qemu_command(setup()), "-plugin"));
}

TEST(QemuCommand, differs_by_acceleration) {
  QemuSetup kvm = setup();
  kvm.accel = Accel::kKvm;
  EXPECT_TRUE(contains(qemu_command(setup()), "max,la57=off,pku=off"));
  EXPECT_TRUE(contains(qemu_command(kvm), "host"));
  EXPECT_NE(kernel_cmdline(setup()).find("tsc=reliable"), std::string::npos);
  EXPECT_EQ(kernel_cmdline(kvm).find("tsc=reliable"), std::string::npos);
}

TEST(QemuCommand, starts_one_cpu_of_many_where_qemu_runs_them_in_parallel_threads) {
  QemuSetup kvm = setup();
  kvm.accel = Accel::kKvm;
  QemuSetup counted = setup();
  counted.icount = 3;
  EXPECT_NE(kernel_cmdline(setup()).find(" maxcpus=1 "), std::string::npos);
  EXPECT_EQ(kernel_cmdline(kvm).find("maxcpus"), std::string::npos);
  EXPECT_EQ(kernel_cmdline(counted).find("maxcpus"), std::string::npos);
}

TEST(QemuCommand, counts_time_in_instructions_when_asked) {
  QemuSetup counted = setup();
  counted.icount = 3;
  counted.seed = 42;
  const std::vector<std::string> words = qemu_command(counted);
  for (const char* word : {"tcg,thread=single", "shift=3,align=off,sleep=off", "42"})
    EXPECT_TRUE(contains(words, word)) << word;
  EXPECT_FALSE(contains(qemu_command(setup()), "-icount"));
}

TEST(QemuCommand, keeps_the_hosts_clock_from_a_deterministic_guest) {
  QemuSetup counted = setup();
  counted.emulator = "/l";
  EXPECT_EQ(qemu_command(counted).front(), "qemu-system-x86_64");
  counted.icount = 4;
  const std::vector<std::string> words = qemu_command(counted);
  EXPECT_EQ(words.front(), "env");
  EXPECT_TRUE(contains(words, "LD_PRELOAD=/l/luf-quiet-loop.so:/l/luf-still-clock.so"));
  EXPECT_TRUE(contains(words, "debug-threads=on"));
  EXPECT_TRUE(contains(words, "panic=shutdown,shutdown=pause"));
  counted.gdb = "/g";
  EXPECT_TRUE(contains(qemu_command(counted), "LD_PRELOAD=/l/luf-still-clock.so"));
}

TEST(QemuCommand, a_clone_maps_its_templates_memory_copy_on_write) {
  QemuSetup clone = setup();
  clone.origin = Origin::kTemplate;
  clone.ram = "/t";
  EXPECT_TRUE(
      contains(qemu_command(clone), "memory-backend-file,id=ram1,size=256M,share=on,mem-path=/t/ram1"));
  EXPECT_TRUE(contains(qemu_command(clone), "panic=pause"));
  clone.origin = Origin::kClone;
  clone.events = "/r/events.jsonl";
  const std::vector<std::string> words = qemu_command(clone);
  EXPECT_TRUE(contains(words, "memory-backend-file,id=ram1,size=256M,share=off,mem-path=/t/ram1"));
  EXPECT_TRUE(contains(words, "file,id=events,path=/r/events.jsonl,append=on"));
  EXPECT_TRUE(contains(words, "memory-backend-file,id=plan,size=1M,share=off,mem-path=/r/a,,b"));
  EXPECT_TRUE(contains(words, "defer"));
}

TEST(BareCommand, differs_only_in_what_lufbed_adds) {
  const std::vector<std::string> whole = qemu_command(setup());
  const std::vector<std::string> bare = bare_command(setup());
  for (const std::string& word : bare)
    EXPECT_TRUE(contains(whole, word) || word == "5" || word == "513M") << word;
  EXPECT_TRUE(contains(bare, kernel_cmdline(setup())));
  for (const char* extra : {"-device", "-numa", "-mon"}) EXPECT_FALSE(contains(bare, extra)) << extra;
}

TEST(QemuCommand, puts_the_users_kernel_words_last) {
  EXPECT_TRUE(kernel_cmdline(setup()).ends_with(" x=1"));
}

TEST(QemuCommand, keeps_the_kernel_from_flushing_by_itself) {
  for (const Accel accel : {Accel::kTcg, Accel::kKvm}) {
    QemuSetup each = setup();
    each.accel = accel;
    EXPECT_NE(kernel_cmdline(each).find(" numa_balancing=disable "), std::string::npos);
  }
}

Result<std::string> run_words(std::vector<std::string> words, seconds patience) {
  boost::asio::io_context context;
  Clock clock;
  Result<std::string> result;
  const auto keep = [&result](const std::exception_ptr& error, Result<std::string> text) {
    if (error) std::rethrow_exception(error);
    result = std::move(text);
  };
  boost::asio::co_spawn(context, run_tool(std::move(words), clock, clock.now() + patience), keep);
  context.run();
  return result;
}

TEST(Tool, returns_what_the_program_printed) {
  EXPECT_EQ(*run_words({"echo", "hello"}, seconds(20)), "hello\n");
}

TEST(Tool, a_missing_program_is_infra) {
  const Result<std::string> result = run_words({"/nonexistent/qemu"}, seconds(20));
  EXPECT_EQ(result.error().message, "cannot start /nonexistent/qemu: No such file or directory");
}

TEST(Tool, a_failing_program_is_told_with_its_words) {
  EXPECT_EQ(run_words({"sh", "-c", "echo no; exit 3"}, seconds(20)).error().message, "sh failed: no\n");
}

TEST(Tool, a_late_program_is_killed) {
  const Result<std::string> result = run_words({"sleep", "60"}, seconds(0));
  EXPECT_EQ(result.error().blame, Blame::kTimeout);
}

TEST(Tool, without_a_place_for_its_output_is_infra) {
  const luf::testing::EnvironmentVariable place("TMPDIR", "/proc");
  const Result<std::string> result = run_words({"echo", "hello"}, seconds(20));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().blame, Blame::kInfra);
  EXPECT_TRUE(result.error().message.starts_with("cannot create the temporary file /proc/"))
      << result.error().message;
}

TEST(Process, hears_of_a_failed_exec_through_signals) {
  const TempDirectory directory;
  const std::filesystem::path fifo = directory / "out";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  struct sigaction interrupting {};
  interrupting.sa_handler = [](int) {};  // no SA_RESTART
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &interrupting, &before), 0);
  // The child waits for a reader of its output before it tries to execute, so its parent gets all the signals.
  std::jthread signaller([&fifo, parent = ::pthread_self()] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ::pthread_kill(parent, SIGUSR1);
    }
    ::close(::open(fifo.c_str(), O_RDONLY));
  });
  boost::asio::io_context context;
  Process process(context.get_executor());
  const Result<void> started = process.start({{"/nonexistent/qemu"}, fifo, -1});
  signaller.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "cannot start /nonexistent/qemu: No such file or directory");
}

TEST(Process, does_not_outlive_its_owner) {
  const TempDirectory directory;
  boost::asio::io_context context;
  pid_t pid = 0;
  {
    Process process(context.get_executor());
    ASSERT_TRUE(process.start({{"sleep", "60"}, directory / "out", -1}));
    pid = process.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace luf::machine
