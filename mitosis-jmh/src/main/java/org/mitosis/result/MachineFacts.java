// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.List;
import java.util.Map;

/**
 * The properties of a machine that can change measured times, and stay the same during a run.
 *
 * <p>A value that could not be read is null.
 *
 * @param host the machine's name
 * @param kernel its kernel
 * @param kernelCommandLine the parameters of the kernel
 * @param distribution the name that /etc/os-release gives
 * @param cpu its processors
 * @param memory its memory
 * @param aslr kernel.randomize_va_space: 0 off, 1 without the heap, 2 full
 * @param cgroups the control groups this process is in
 * @param surroundings hypervisor and container
 * @param settings of the kernel
 * @param rights what this process may do
 * @param rdma the ports of its RDMA devices
 */
public record MachineFacts(
    String host,
    Kernel kernel,
    String kernelCommandLine,
    String distribution,
    Cpu cpu,
    Memory memory,
    Integer aslr,
    Cgroups cgroups,
    Surroundings surroundings,
    Settings settings,
    Rights rights,
    List<RdmaPort> rdma) {

  /**
   * The fields of {@code uname -a}.
   *
   * @param name such as Linux
   * @param release such as 6.1.0-18-amd64
   * @param version the build's number and date
   * @param architecture such as x86_64
   */
  public record Kernel(String name, String release, String version, String architecture) {}

  /**
   * Processors.
   *
   * @param model the first processor's model name
   * @param sockets packages
   * @param cores physical cores
   * @param logical processors that are online
   * @param microcode the first processor's microcode revision
   * @param governors the distinct frequency governors
   * @param frequencyDriver the driver that sets the frequency
   * @param turbo whether frequencies above the nominal one are allowed
   * @param smt whether a core runs several threads
   * @param numaNodes memory nodes
   */
  public record Cpu(
      String model,
      Integer sockets,
      Integer cores,
      Integer logical,
      String microcode,
      List<String> governors,
      String frequencyDriver,
      Boolean turbo,
      Boolean smt,
      Integer numaNodes) {}

  /**
   * Memory; sizes in bytes.
   *
   * @param totalBytes size of the memory
   * @param swapBytes swap space
   * @param pageBytes size of a page
   * @param overcommit vm.overcommit_memory: 0 by heuristic, 1 always, 2 never
   * @param hugePages transparent huge pages: always, madvise or never
   * @param hugePagesDefrag when the kernel compacts memory for one
   */
  public record Memory(
      Long totalBytes,
      Long swapBytes,
      Long pageBytes,
      Integer overcommit,
      String hugePages,
      String hugePagesDefrag) {}

  /**
   * Control groups.
   *
   * @param version 1, 2, or 0 if none is mounted
   * @param memberships the lines of /proc/self/cgroup
   * @param memoryLimit the limit on memory as the kernel writes it
   * @param cpuLimit the limit on processor time, quota and period in µs
   * @param pidsLimit the limit on processes
   */
  public record Cgroups(
      Integer version,
      List<String> memberships,
      String memoryLimit,
      String cpuLimit,
      String pidsLimit) {}

  /**
   * Hypervisor and container of the machine.
   *
   * @param hypervisor whether the CPU has the flag hypervisor
   * @param vendor maker and product in the firmware
   * @param container the manager or file that shows that this is a container
   */
  public record Surroundings(Boolean hypervisor, String vendor, String container) {}

  /**
   * Settings of the kernel.
   *
   * @param clocksource what the clocks are read from
   * @param vulnerabilities of the CPUs and what is done against each
   * @param samePageMerging whether equal pages are merged (KSM)
   * @param swappiness how early memory is swapped out
   * @param numaBalancing whether pages move to the node that uses them
   * @param accessMonitors threads that watch or reclaim memory by its use (DAMON), each with its
   *     state; empty if there is none
   */
  public record Settings(
      String clocksource,
      Map<String, String> vulnerabilities,
      Integer samePageMerging,
      Integer swappiness,
      Integer numaBalancing,
      List<String> accessMonitors) {}

  /**
   * What this process may do.
   *
   * @param user its effective user id
   * @param capabilities the effective ones, as the kernel writes them
   * @param cpus it may run on, such as {@code 0-3,8}
   */
  public record Rights(Long user, String capabilities, String cpus) {}

  /**
   * The properties that change during a run.
   *
   * @param load processes that ran or waited to run, averaged over 1, 5 and 15 minutes
   * @param availableBytes memory that can be used without swapping
   * @param swapUsedBytes swap in use
   * @param uptimeSeconds since boot
   * @param counters of lost time
   * @param megahertz the least and the greatest frequency of a CPU
   * @param hottestCelsius the highest temperature of a sensor
   */
  public record State(
      List<Double> load,
      Long availableBytes,
      Long swapUsedBytes,
      Double uptimeSeconds,
      Counters counters,
      List<Double> megahertz,
      Double hottestCelsius) {
    /** A state of which no more is known. */
    public State(List<Double> load, Long availableBytes, Long swapUsedBytes, Double uptimeSeconds) {
      this(load, availableBytes, swapUsedBytes, uptimeSeconds, null, null, null);
    }
  }
}
