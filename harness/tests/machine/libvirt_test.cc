#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <set>
#include <thread>

#include "base/file.h"
#include "machine/domain_xml.h"
#include "machine/libvirt_host.h"

namespace luf::machine {
namespace {

using std::chrono::seconds;

QemuSetup setup() {
  QemuSetup setup;
  setup.memory = std::uint64_t{512} << 20U;
  setup.cpus = 4;
  setup.nodes = 2;
  setup.kernel = "/k/vmlinux";
  setup.initramfs = "/i/a&b.cpio";
  setup.plan = "/r/plan,1.bin";
  setup.console = "/r/console.log";
  setup.events = "/r/events.jsonl";
  setup.cmdline = "x='1'";
  return setup;
}

/// LUFBED_UPDATE_GOLDEN=1 writes it anew.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(LUFBED_SOURCE_DIR) + "/tests/data/domain/" + name;
  if (std::getenv("LUFBED_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file(path, text));
  }
  EXPECT_EQ(text, read_file(path).value_or("")) << path;
}

TEST(DomainXml, says_what_the_command_line_says) {
  expect_golden("tcg.xml", domain_xml(setup(), {"lufbed-1-1", "/usr/bin/qemu", "+0:+0"}));
}

TEST(DomainXml, has_the_slow_node_and_room_for_hot_memory) {
  QemuSetup with = setup();
  with.slow_memory = std::uint64_t{64} << 20U;
  with.devices = {Device::kHotMemory};
  const std::string xml = domain_xml(with, {"lufbed-1-1", "/usr/bin/qemu", ""});
  EXPECT_NE(xml.find("<maxMemory unit='MiB' slots='1'>704</maxMemory>"), std::string::npos);
  EXPECT_NE(xml.find("<cell id='2' memory='64' unit='MiB'/>"), std::string::npos);
  EXPECT_NE(xml.find("<latency initiator='0' target='2' type='access' value='200'/>"), std::string::npos);
}

TEST(DomainXml, says_each_link_between_nodes_in_one_direction) {
  // Libvirt refuses the way back: "Link already defined" (virDomainNumaDefValidate).
  QemuSetup with = setup();
  with.slow_memory = std::uint64_t{64} << 20U;
  with.cpus = with.nodes = 8;
  std::set<std::pair<std::int64_t, std::int64_t>> links;
  for (const Reach& reach : reaches(with)) {
    EXPECT_TRUE(links.emplace(std::minmax(reach.from, reach.to)).second) << reach.from << " to " << reach.to;
  }
}

TEST(DomainXml, differs_by_acceleration) {
  QemuSetup kvm = setup();
  kvm.accel = Accel::kKvm;
  const std::string xml = domain_xml(kvm, {"lufbed-1-1", "/usr/bin/qemu", ""});
  EXPECT_NE(xml.find("<domain type='kvm'"), std::string::npos);
  EXPECT_NE(xml.find("<cpu mode='host-passthrough'>"), std::string::npos);
  EXPECT_EQ(xml.find("seclabel"), std::string::npos);
}

TEST(DomainXml, passes_every_device_of_the_run_through) {
  const std::string xml = domain_xml(setup(), {"lufbed-1-1", "/usr/bin/qemu", ""});
  for (const std::string& word : device_words(setup()))
    EXPECT_NE(xml.find("<qemu:arg value='" + word + "'/>"), std::string::npos) << word;
}

/// Runs `work` to its end.
void run(boost::asio::io_context& context, Task<void> work) {
  boost::asio::co_spawn(context, std::move(work), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();
}

/// The mock driver has no QEMU, so opening tells so; its connection stays for what the tests do then.
Task<void> open_mock(LibvirtHost& host, Clock& clock) {
  const Result<void> opened = co_await host.open("test:///default", clock.now() + seconds(20));
  EXPECT_EQ(opened.error().message,
            "libvirt at test:///default runs no QEMU guests but those of its driver TEST");
}

Task<void> call_mock(LibvirtHost& host, Clock& clock) {
  co_await open_mock(host, clock);
  const LibvirtHost::Call count = [](_virConnect* connection) -> Result<std::string> {
    return std::to_string(::virConnectNumOfDomains(connection));
  };
  const Result<std::string> domains = co_await host.call(count, clock.now() + seconds(20));
  EXPECT_EQ(domains.value_or("none"), "1");
  const LibvirtHost::Call lose = [](_virConnect* connection) -> Result<std::string> {
    if (::virDomainLookupByName(connection, "no-such") == nullptr) return libvirt_error("cannot find it");
    return std::string();
  };
  const Result<std::string> lost = co_await host.call(lose, clock.now() + seconds(20));
  EXPECT_EQ(lost.error().message, "cannot find it: Domain not found");
}

TEST(LibvirtHost, runs_calls_on_its_thread_and_reads_the_error_there) {
  boost::asio::io_context context;
  Clock clock;
  LibvirtHost host(context.get_executor(), clock);
  run(context, call_mock(host, clock));
}

Task<void> give_up_a_call(LibvirtHost& host, Clock& clock, std::shared_ptr<std::atomic<bool>> go_on) {
  const LibvirtHost::Call block = [go_on](_virConnect*) -> Result<std::string> {
    while (!*go_on) std::this_thread::yield();
    return std::string();
  };
  const Result<std::string> late = co_await host.call(block, clock.now());
  EXPECT_EQ(late.error().blame, Blame::kTimeout);
}

TEST(LibvirtHost, does_not_wait_for_a_call_that_hangs) {
  const auto go_on = std::make_shared<std::atomic<bool>>(false);
  boost::asio::io_context context;
  Clock clock;
  {
    LibvirtHost host(context.get_executor(), clock);
    run(context, give_up_a_call(host, clock, go_on));
  }
  *go_on = true;
}

Task<void> open_nothing(LibvirtHost& host, Clock& clock) {
  const Result<void> opened = co_await host.open("nonsense:///x", clock.now() + seconds(20));
  EXPECT_FALSE(opened);
  if (opened) co_return;
  EXPECT_EQ(opened.error().blame, Blame::kInfra);
  EXPECT_TRUE(opened.error().message.starts_with("cannot connect to libvirt at nonsense:///x: "))
      << opened.error().message;
  EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
}

TEST(LibvirtHost, a_wrong_uri_is_one_line) {
  boost::asio::io_context context;
  Clock clock;
  LibvirtHost host(context.get_executor(), clock);
  run(context, open_nothing(host, clock));
}

}  // namespace
}  // namespace luf::machine
