// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineProbeTest {
  private static final Counters NO_COUNTERS = new Counters(null, null, null, null, null, null);
  private static final MachineFacts.State NO_STATE =
      new MachineFacts.State(null, null, null, null, NO_COUNTERS, null, null);

  @TempDir Path root;

  @Test
  void readsAServer() throws IOException {
    file("proc/sys/kernel/hostname", "val01\n");
    file("proc/sys/kernel/ostype", "Linux\n");
    file("proc/sys/kernel/osrelease", "6.1.0\n");
    file("proc/sys/kernel/version", "#1 SMP\n");
    file("proc/sys/kernel/arch", "x86_64\n");
    file("proc/sys/kernel/randomize_va_space", "2\n");
    file("proc/sys/vm/overcommit_memory", "0\n");
    file("proc/cmdline", "quiet isolcpus=2 -- --token 73\n");
    file("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    file(
        "proc/cpuinfo",
        processor(0, 0, 0) + processor(1, 0, 0) + processor(2, 1, 0) + processor(3, 1, 0));
    file(
        "proc/meminfo",
        "MemTotal:  1000 kB\nMemAvailable:  600 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n");
    file("proc/loadavg", "0.50 0.25 0.10 1/200 4321\n");
    file("proc/uptime", "12.50 40.00\n");
    file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    file("sys/kernel/mm/transparent_hugepage/defrag", "[always] defer never\n");
    file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    file("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
    file("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate\n");
    file("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
    file("sys/devices/system/cpu/smt/active", "1\n");
    Files.createDirectories(root.resolve("sys/devices/system/node/node0"));
    Files.createDirectories(root.resolve("sys/devices/system/node/node1"));
    file("sys/devices/system/node/online", "0-1\n");
    file("sys/class/dmi/id/sys_vendor", "Maker\n");
    file("sys/class/dmi/id/product_name", "Model\n");
    auxv(6, 4096);

    MachineFacts machine = new MachineProbe(root).machine();

    assertEquals("val01", machine.host());
    assertEquals(new MachineFacts.Kernel("Linux", "6.1.0", "#1 SMP", "x86_64"), machine.kernel());
    assertEquals("quiet isolcpus=2", machine.kernelCommandLine());
    assertEquals("Debian GNU/Linux 12 (bookworm)", machine.distribution());
    assertEquals(
        new MachineFacts.Cpu(
            "Some CPU",
            2,
            2,
            4,
            "0x1",
            List.of("performance", "powersave"),
            "intel_pstate",
            false,
            true,
            2),
        machine.cpu());
    assertEquals(
        new MachineFacts.Memory(1_024_000L, 51_200L, 4096L, 0, "madvise", "always"),
        machine.memory());
    assertEquals(2, machine.aslr());
    assertEquals(new MachineFacts.Surroundings(false, "Maker Model", null), machine.surroundings());
    assertEquals(
        new MachineFacts.State(
            List.of(0.5, 0.25, 0.1), 614_400L, 30_720L, 12.5, NO_COUNTERS, null, null),
        new MachineProbe(root).state());
  }

  @Test
  void whatCannotBeReadIsNullAndNotGuessed() {
    MachineFacts machine = new MachineProbe(root).machine();
    assertNull(machine.host());
    assertEquals(new MachineFacts.Kernel(null, null, null, null), machine.kernel());
    assertEquals(
        new MachineFacts.Cpu(null, null, null, null, null, null, null, null, null, null),
        machine.cpu());
    assertEquals(new MachineFacts.Memory(null, null, null, null, null, null), machine.memory());
    assertEquals(new MachineFacts.Surroundings(null, null, null), machine.surroundings());
    assertEquals(new MachineFacts.Cgroups(null, List.of(), null, null, null), machine.cgroups());
    assertEquals(NO_STATE, new MachineProbe(root).state());
  }

  @Test
  void whatMakesNoSenseIsNull() throws IOException {
    file("proc/sys/kernel/randomize_va_space", "full\n");
    file("proc/loadavg", "a b c\n");
    file("proc/uptime", "\n");
    file("proc/meminfo", "MemTotal: much kB\n");
    file("sys/kernel/mm/transparent_hugepage/enabled", "none\n");
    assertNull(new MachineProbe(root).machine().aslr());
    assertNull(new MachineProbe(root).machine().memory().totalBytes());
    assertNull(new MachineProbe(root).machine().memory().hugePages());
    assertEquals(NO_STATE, new MachineProbe(root).state());
  }

  @Test
  void readsTheLimitsOfAControlGroupOfVersion2() throws IOException {
    file("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
    file("proc/self/cgroup", "0::/user.slice/job\n");
    file("sys/fs/cgroup/user.slice/job/memory.max", "1073741824\n");
    file("sys/fs/cgroup/user.slice/job/cpu.max", "100000 100000\n");
    file("sys/fs/cgroup/user.slice/job/pids.max", "max\n");
    assertEquals(
        new MachineFacts.Cgroups(
            2, List.of("0::/user.slice/job"), "1073741824", "100000 100000", "max"),
        new MachineProbe(root).machine().cgroups());
  }

  @Test
  void readsTheLimitsOfControlGroupsOfVersion1() throws IOException {
    file("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/b\n3:pids:/\n");
    file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    file("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    file("sys/fs/cgroup/memory/b/memory.limit_in_bytes", "4096\n");
    file("sys/fs/cgroup/pids/pids.max", "max\n");
    assertEquals(
        new MachineFacts.Cgroups(
            1, List.of("5:cpu,cpuacct:/a", "4:memory:/b", "3:pids:/"), "4096", "-1 100000", "max"),
        new MachineProbe(root).machine().cgroups());
  }

  @Test
  void countsLostTime() throws IOException {
    file("proc/stat", "cpu  10 20 30 40 50 60 70 8 90 100\ncpu0 1 1 1 1 1 1 1 4 1 1\n");
    file("proc/pressure/cpu", "some avg10=1.00 avg60=0.50 avg300=0.10 total=1234\nfull total=9\n");
    file("proc/pressure/memory", "some avg10=0.00 total=5\n");
    file("proc/pressure/io", "some avg10=0.00 total=much\n");
    file("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
    file("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n");
    assertEquals(
        new Counters(80L, 1234L, 5L, null, null, 7L), new MachineProbe(root).state().counters());
  }

  @Test
  void countsThrottlingInMicrosecondsOfBothVersionsOfControlGroups() throws IOException {
    file("proc/self/cgroup", "5:cpu,cpuacct:/a\n0::/job\n");
    file("sys/fs/cgroup/cpu/a/cpu.stat", "nr_periods 4\nnr_throttled 2\nthrottled_time 7000999\n");
    assertEquals(7000L, new MachineProbe(root).counters().throttledUs());
    file("sys/fs/cgroup/cgroup.controllers", "cpu\n");
    file("sys/fs/cgroup/job/cpu.stat", "usage_usec 9\nnr_throttled 2\nthrottled_usec 42\n");
    assertEquals(42L, new MachineProbe(root).counters().throttledUs());
  }

  @Test
  void readsSettingsAndRights() throws IOException {
    file("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    file("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n");
    file("sys/kernel/mm/ksm/run", "1\n");
    file("proc/sys/vm/swappiness", "60\n");
    file("proc/sys/kernel/numa_balancing", "0\n");
    file("sys/kernel/mm/damon/admin/kdamonds/0/state", "on\n");
    file("sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", "1\n");
    file(
        "proc/self/status",
        "Name:\tjava\nUid:\t1000\t0\t0\t0\nCapEff:\t00ff\nCpus_allowed_list:\t0-3,8\n");
    MachineFacts machine = new MachineProbe(root).machine();
    assertEquals(
        new MachineFacts.Settings(
            "tsc", Map.of("meltdown", "Mitigation: PTI"), 1, 60, 0, List.of("0 on")),
        machine.settings());
    assertEquals(new MachineFacts.Rights(0L, "00ff", "0-3,8"), machine.rights());
  }

  @Test
  void readsFrequencyAndTemperature() throws IOException {
    file("proc/cpuinfo", "processor : 0\ncpu MHz : 2200.5\n\nprocessor : 1\ncpu MHz : 800.0\n");
    file("sys/class/thermal/thermal_zone0/temp", "45000\n");
    file("sys/class/thermal/thermal_zone1/temp", "51500\n");
    assertEquals(List.of(800.0, 2200.5), new MachineProbe(root).state().megahertz());
    assertEquals(51.5, new MachineProbe(root).state().hottestCelsius());
  }

  @Test
  void seesContainersAndHypervisors() throws IOException {
    file("proc/cpuinfo", "processor : 0\nflags : fpu hypervisor\n");
    file(".dockerenv", "");
    assertEquals(
        new MachineFacts.Surroundings(true, null, "/.dockerenv"),
        new MachineProbe(root).machine().surroundings());
    file("run/systemd/container", "systemd-nspawn\n");
    assertEquals("systemd-nspawn", new MachineProbe(root).machine().surroundings().container());
  }

  @Test
  void readsThisMachine() {
    MachineProbe probe = new MachineProbe(Path.of("/"));
    assertEquals("Linux", probe.machine().kernel().name());
    assertNotNull(probe.machine().host());
    assertEquals(4096L, probe.machine().memory().pageBytes());
    assertTrue(probe.state().availableBytes() > 0);
    assertNotNull(probe.counters().stealMs());
    assertNotNull(probe.machine().rights().cpus());
  }

  private static String processor(int number, int socket, int core) {
    return "processor\t: "
        + number
        + "\nmodel name\t: Some CPU\nmicrocode\t: 0x1\nphysical id\t: "
        + socket
        + "\ncore id\t\t: "
        + core
        + "\nflags\t\t: fpu vme\n\n";
  }

  private void auxv(long key, long value) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * Long.BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(33).putLong(0x7fff0000L).putLong(key).putLong(value);
    Files.createDirectories(root.resolve("proc/self"));
    Files.write(root.resolve("proc/self/auxv"), bytes.array());
  }

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
