// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * A property in which two environments differ and that changes measured times by itself.
 *
 * @param what its name
 * @param old the value in the first
 * @param now the value in the second
 */
public record EnvironmentDifference(String what, String old, String now) {
  private record Aspect(String what, Function<Environment, Object> value) {}

  private static final List<Aspect> MATTERS =
      List.of(
          new Aspect("processor", machine(m -> m.cpu().model())),
          new Aspect("processors online", machine(m -> m.cpu().logical())),
          new Aspect("NUMA nodes", machine(m -> m.cpu().numaNodes())),
          new Aspect("hyper-threading", machine(m -> m.cpu().smt())),
          new Aspect("turbo", machine(m -> m.cpu().turbo())),
          new Aspect("frequency governor", machine(m -> m.cpu().governors())),
          new Aspect("kernel", machine(m -> m.kernel().release())),
          new Aspect("kernel command line", machine(MachineFacts::kernelCommandLine)),
          new Aspect("memory", machine(m -> gibibytes(m.memory().totalBytes()))),
          new Aspect("page size", machine(m -> m.memory().pageBytes())),
          new Aspect("transparent huge pages", machine(m -> m.memory().hugePages())),
          new Aspect("address randomisation", machine(MachineFacts::aslr)),
          new Aspect("limit on processors", machine(m -> m.cgroups().cpuLimit())),
          new Aspect("limit on memory", machine(m -> m.cgroups().memoryLimit())),
          new Aspect("virtual machine", machine(m -> m.surroundings().hypervisor())),
          new Aspect("container", machine(m -> m.surroundings().container())),
          new Aspect("microcode", machine(m -> m.cpu().microcode())),
          new Aspect("swap", machine(m -> gibibytes(m.memory().swapBytes()))),
          new Aspect("clock source", machine(m -> m.settings().clocksource())),
          new Aspect("vulnerabilities", machine(m -> m.settings().vulnerabilities())),
          new Aspect("merging of equal pages", machine(m -> m.settings().samePageMerging())),
          new Aspect("swappiness", machine(m -> m.settings().swappiness())),
          new Aspect("NUMA balancing", machine(m -> m.settings().numaBalancing())),
          new Aspect("access monitors", machine(m -> m.settings().accessMonitors())),
          new Aspect("root", machine(m -> m.rights().user() == 0)),
          new Aspect("capabilities", machine(m -> m.rights().capabilities())),
          new Aspect("CPUs allowed", machine(m -> m.rights().cpus())),
          new Aspect("RDMA ports", machine(m -> rdma(m.rdma()))),
          new Aspect("CPU plan", Environment::cpuPlan),
          new Aspect("lean containers", environment -> environment.tools().lean()),
          new Aspect("C library", environment -> environment.tools().libc()),
          new Aspect("compiler", environment -> environment.tools().compiler()),
          new Aspect("Python", environment -> environment.tools().python()),
          new Aspect("CRIU", environment -> environment.tools().criu()),
          new Aspect("JVM arguments", environment -> ofJvm(environment.jvm().arguments())),
          new Aspect("backend", environment -> environment.backend().chosen()),
          new Aspect("Java", environment -> environment.jvm().version()),
          new Aspect("Java virtual machine", environment -> environment.jvm().vm()));

  /** All differences; a value that is unknown on one side does not count. */
  public static List<EnvironmentDifference> between(Environment old, Environment now) {
    List<EnvironmentDifference> all = new ArrayList<>(aspects(old, now));
    all.addAll(packages(old, now));
    return List.copyOf(all);
  }

  private static List<EnvironmentDifference> aspects(Environment old, Environment now) {
    return MATTERS.stream()
        .map(
            aspect ->
                new EnvironmentDifference(
                    aspect.what(), valueOf(aspect, old), valueOf(aspect, now)))
        .filter(one -> one.old() != null && one.now() != null)
        .filter(one -> !Objects.equals(one.old(), one.now()))
        .toList();
  }

  /** The Python packages of both that differ: of which a function uses some. */
  private static List<EnvironmentDifference> packages(Environment old, Environment now) {
    if (old.tools() == null
        || now.tools() == null
        || old.tools().pythonPackages() == null
        || now.tools().pythonPackages() == null) {
      return List.of();
    }
    Map<String, String> after = now.tools().pythonPackages();
    return new TreeMap<>(old.tools().pythonPackages())
        .entrySet().stream()
            .filter(one -> after.containsKey(one.getKey()))
            .filter(one -> !one.getValue().equals(after.get(one.getKey())))
            .map(
                one ->
                    new EnvironmentDifference(
                        "Python package " + one.getKey(), one.getValue(), after.get(one.getKey())))
            .toList();
  }

  private static List<String> rdma(List<RdmaPort> ports) {
    return ports == null ? null : ports.stream().map(RdmaPort::summary).toList();
  }

  /**
   * Without the settings of this program, which name folders and are in the parameters, and without
   * what keeps the JVM from a warning.
   */
  private static String ofJvm(List<String> arguments) {
    return String.join(
        " ",
        arguments.stream()
            .filter(one -> !one.startsWith("-Dmitosis.") && !one.equals(Environment.ALLOW_UNSAFE))
            .toList());
  }

  /** Whether its name begins like that, in upper or lower case. */
  public boolean isCalled(String name) {
    return !name.isEmpty() && what.regionMatches(true, 0, name, 0, name.length());
  }

  /** As {@code what: old / now}. */
  @Override
  public String toString() {
    return what + ": " + old + " / " + now;
  }

  private static Function<Environment, Object> machine(Function<MachineFacts, Object> value) {
    return environment -> value.apply(environment.machine());
  }

  private static String valueOf(Aspect aspect, Environment environment) {
    try {
      Object value = aspect.value().apply(environment);
      return value == null ? null : value.toString();
    } catch (NullPointerException e) {
      return null; // a part that another version does not write
    }
  }

  /** Firmware takes some of it, a little more or less at each boot. */
  private static String gibibytes(Long bytes) {
    return bytes == null ? null : Math.round(bytes / 1073741824.0) + " GiB";
  }
}
