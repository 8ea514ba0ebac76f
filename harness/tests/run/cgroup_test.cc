#include "run/cgroup.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace luf::run {
namespace {

constexpr Allowance kAll;
constexpr const char* kUnified = "30 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup rw\n";

/// A host's files: in which groups this program is, and where groups are mounted.
class FakeHost {
 public:
  FakeHost(const std::string& groups, const std::string& mounts) {
    put("proc/self/cgroup", groups);
    put("proc/self/mountinfo",
        "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n25 22 0:4 / /proc rw - proc proc rw\n" + mounts);
  }
  void put(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((root_ / name).parent_path());
    root_.put(name, content);
  }
  Allowance allowance() const { return cgroup_allowance(root_.path()); }

 private:
  luf::testing::TempDirectory root_;
};

TEST(CgroupAllowance, is_all_where_there_is_no_group_or_no_limit) {
  EXPECT_EQ(cgroup_allowance("/nonexistent").cpus, kAll.cpus);
  FakeHost host("0::/user.slice\n", kUnified);
  EXPECT_EQ(host.allowance().memory, kAll.memory);
  host.put("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  host.put("sys/fs/cgroup/user.slice/memory.max", "max\n");
  host.put("sys/fs/cgroup/user.slice/memory.current", "4096\n");
  EXPECT_EQ(host.allowance().cpus, kAll.cpus);
  EXPECT_EQ(host.allowance().memory, kAll.memory);
}

TEST(CgroupAllowance, counts_whole_cpus_and_at_least_one) {
  FakeHost host("0::/\n", kUnified);
  host.put("sys/fs/cgroup/cpu.max", "350000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 3U);
  host.put("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 1U);
}

TEST(CgroupAllowance, is_the_tightest_of_all_groups_above) {
  FakeHost host("0::/job/step/task\n", kUnified);
  host.put("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
  host.put("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  host.put("sys/fs/cgroup/job/step/task/cpu.max", "800000 100000\n");
  host.put("sys/fs/cgroup/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 2U);
}

TEST(CgroupAllowance, of_memory_is_what_is_not_used_but_for_the_cache) {
  FakeHost host("0::/job\n", kUnified);
  host.put("sys/fs/cgroup/job/memory.max", "1000000\n");
  host.put("sys/fs/cgroup/job/memory.high", "900000\n");
  host.put("sys/fs/cgroup/job/memory.current", "500000\n");
  EXPECT_EQ(host.allowance().memory, 400000U);
  host.put("sys/fs/cgroup/job/memory.stat", "anon 300000\ninactive_file 150000\nactive_file 50000\n");
  EXPECT_EQ(host.allowance().memory, 550000U);
  host.put("sys/fs/cgroup/job/memory.current", "2000000\n");
  EXPECT_EQ(host.allowance().memory, 0U);
}

TEST(CgroupAllowance, reads_version_1_too) {
  FakeHost host("4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n",
                "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
                "33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n");
  host.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  host.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  host.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_GT(host.allowance().cpus, std::size_t{1} << 30U);
  EXPECT_GT(host.allowance().memory, std::uint64_t{1} << 60U);
  host.put("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "250000\n");
  host.put("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  host.put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000000\n");
  host.put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "700000\n");
  host.put("sys/fs/cgroup/memory/job/memory.stat", "total_inactive_file 100000\n");
  EXPECT_EQ(host.allowance().cpus, 2U);
  EXPECT_EQ(host.allowance().memory, 400000U);
}

TEST(CgroupAllowance, in_a_container_is_that_of_its_mount) {
  // Docker without a namespace of groups: the name is the host's, and the mount shows what is below it.
  FakeHost host("1:cpu:/docker/abc\n",
                "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  host.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  host.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(host.allowance().cpus, 2U);
}

TEST(CgroupAllowance, reads_the_escapes_of_a_mount_point_and_of_a_group) {
  FakeHost host("0::/a job\\/step\n",
                "30 23 0:28 /a\\040job\\134 /mnt/all\\040of\\011it rw - cgroup2 cgroup rw\n");
  host.put("mnt/all of\tit/step/cpu.max", "200000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 2U);
}

TEST(CgroupAllowance, is_not_that_of_another_group_that_is_mounted) {
  FakeHost host("2:memory:/docker/abc\n0::/docker/abc\n",
                "30 23 0:28 /docker/other /mnt/other ro - cgroup2 cgroup rw\n"
                "31 23 0:28 /docker/abc/below /mnt/below ro - cgroup2 cgroup rw\n"
                "32 23 0:28 /../other /mnt/beside ro - cgroup2 cgroup rw\n"
                "33 23 0:30 /docker/ab /mnt/memory ro - cgroup cgroup rw,memory\n");
  for (const std::string name : {"other", "below", "beside", "beside/docker/abc"})
    host.put("mnt/" + name + "/cpu.max", "100000 100000\n");
  host.put("mnt/memory/memory.limit_in_bytes", "1000000\n");
  EXPECT_EQ(host.allowance().cpus, kAll.cpus);
  EXPECT_EQ(host.allowance().memory, kAll.memory);
}

TEST(CgroupAllowance, of_a_container_with_the_hosts_tree_is_what_that_shows_above_it) {
  // In a namespace of groups the host's root has the name "/../..", and nothing tells the way down from there.
  FakeHost host("0::/\n",
                "30 23 0:28 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
                "31 23 0:28 /../.. /host/cgroup ro - cgroup2 cgroup rw\n");
  host.put("sys/fs/cgroup/cpu.max", "400000 100000\n");
  host.put("host/cgroup/cpu.max", "800000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 4U);
  host.put("host/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(host.allowance().cpus, 3U);
}

TEST(CgroupAllowance, is_all_where_the_namespace_shows_another_group_than_the_own) {
  FakeHost host("0::/../beside\n", kUnified);  // started from outside of the container
  host.put("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(host.allowance().cpus, kAll.cpus);
}

}  // namespace
}  // namespace luf::run
