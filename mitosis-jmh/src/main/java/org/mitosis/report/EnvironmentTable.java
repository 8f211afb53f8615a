// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.mitosis.result.Environment;
import org.mitosis.result.EnvironmentDifference;
import org.mitosis.result.MachineFacts;
import org.mitosis.result.Run;

/**
 * The environments of runs: one column for each machine of each run.
 *
 * @param head the machines
 * @param rows their properties
 */
record EnvironmentTable(List<String> head, List<Row> rows) {
  /**
   * A row.
   *
   * @param what the property
   * @param cells one for each machine
   * @param matters whether it differs between machines and changes measured times
   */
  record Row(String what, List<String> cells, boolean matters) {}

  private static final Map<String, Function<Environment, Object>> ASPECTS = new LinkedHashMap<>();

  static {
    ASPECTS.put("outcome", environment -> environment.outcome());
    ASPECTS.put("started", environment -> environment.started());
    ASPECTS.put("ended", environment -> environment.ended());
    ASPECTS.put("command line", environment -> String.join(" ", environment.commandLine()));
    ASPECTS.put(
        "mitosis",
        environment ->
            environment.mitosis().version()
                + ", commit "
                + environment.mitosis().commit()
                + (environment.mitosis().dirty().equals("true") ? ", with changes" : ""));
    ASPECTS.put("backend", environment -> environment.backend().chosen());
    ASPECTS.put("chosen because", environment -> environment.backend().reason());
    ASPECTS.put("Java", environment -> environment.jvm().version());
    ASPECTS.put("Java virtual machine", environment -> environment.jvm().vm());
    ASPECTS.put("JVM arguments", environment -> String.join(" ", environment.jvm().arguments()));
    machine("kernel", machine -> machine.kernel().release());
    machine("system", MachineFacts::distribution);
    machine("kernel command line", MachineFacts::kernelCommandLine);
    machine("processor", machine -> machine.cpu().model());
    machine("processors online", machine -> machine.cpu().logical());
    machine("sockets", machine -> machine.cpu().sockets());
    machine("cores", machine -> machine.cpu().cores());
    machine("hyper-threading", machine -> machine.cpu().smt());
    machine("NUMA nodes", machine -> machine.cpu().numaNodes());
    machine("microcode", machine -> machine.cpu().microcode());
    machine("frequency driver", machine -> machine.cpu().frequencyDriver());
    machine("frequency governor", machine -> machine.cpu().governors());
    machine("turbo", machine -> machine.cpu().turbo());
    machine("memory", machine -> mebibytes(machine.memory().totalBytes()));
    machine("swap", machine -> mebibytes(machine.memory().swapBytes()));
    machine("page size", machine -> machine.memory().pageBytes());
    machine("transparent huge pages", machine -> machine.memory().hugePages());
    machine("overcommit", machine -> machine.memory().overcommit());
    machine("address randomisation", MachineFacts::aslr);
    machine("limit on processors", machine -> machine.cgroups().cpuLimit());
    machine("limit on memory", machine -> machine.cgroups().memoryLimit());
    machine("virtual machine", machine -> machine.surroundings().hypervisor());
    machine("container", machine -> machine.surroundings().container());
    machine("clock source", machine -> machine.settings().clocksource());
    machine("vulnerabilities", machine -> machine.settings().vulnerabilities());
    machine("merging of equal pages", machine -> machine.settings().samePageMerging());
    machine("swappiness", machine -> machine.settings().swappiness());
    machine("NUMA balancing", machine -> machine.settings().numaBalancing());
    machine("access monitors", machine -> machine.settings().accessMonitors());
    machine("user", machine -> machine.rights().user());
    machine("root", machine -> machine.rights().user() == 0);
    machine("capabilities", machine -> machine.rights().capabilities());
    machine("CPUs allowed", machine -> machine.rights().cpus());
    ASPECTS.put("CPU plan", environment -> environment.cpuPlan());
    ASPECTS.put("lean containers", environment -> environment.tools().lean());
    ASPECTS.put("C library", environment -> environment.tools().libc());
    ASPECTS.put("compiler", environment -> environment.tools().compiler());
    ASPECTS.put("Python", environment -> environment.tools().python());
    ASPECTS.put("CRIU", environment -> environment.tools().criu());
    state("MHz", MachineFacts.State::megahertz);
    state("hottest, °C", MachineFacts.State::hottestCelsius);
    state("steal since boot, ms", state -> state.counters().stealMs());
    ASPECTS.put("load before", environment -> environment.before().load());
    ASPECTS.put("load after", environment -> environment.after().load());
    ASPECTS.put(
        "memory available before", environment -> mebibytes(environment.before().availableBytes()));
  }

  private static void machine(String what, Function<MachineFacts, Object> value) {
    ASPECTS.put(what, environment -> value.apply(environment.machine()));
  }

  private static void state(String what, Function<MachineFacts.State, Object> value) {
    ASPECTS.put(what + ", before", environment -> value.apply(environment.before()));
    ASPECTS.put(what + ", after", environment -> value.apply(environment.after()));
  }

  static EnvironmentTable of(List<Run> runs) {
    List<String> head = new ArrayList<>();
    List<Environment> environments = new ArrayList<>();
    for (Run run : runs) {
      run.environments()
          .forEach(
              (host, environment) -> {
                head.add(PlotName.run(run, runs) + host);
                environments.add(environment);
              });
    }
    Set<String> different = new TreeSet<>();
    for (Environment environment : environments) {
      EnvironmentDifference.between(environments.get(0), environment)
          .forEach(difference -> different.add(difference.what()));
    }
    List<Row> rows = new ArrayList<>();
    ASPECTS.forEach(
        (what, value) -> {
          List<String> cells =
              environments.stream().map(environment -> cell(value, environment)).toList();
          if (!cells.stream().allMatch(Quantity.NOTHING::equals)) {
            rows.add(new Row(what, cells, different.contains(what)));
          }
        });
    return new EnvironmentTable(List.copyOf(head), List.copyOf(rows));
  }

  private static String cell(Function<Environment, Object> aspect, Environment environment) {
    try {
      Object value = aspect.apply(environment);
      String text =
          value instanceof List<?> list
              ? String.join(", ", list.stream().map(String::valueOf).toList())
              : String.valueOf(value);
      return value == null || text.isBlank() ? Quantity.NOTHING : text;
    } catch (NullPointerException e) {
      return Quantity.NOTHING; // a part that is not known, or that another version did not write
    }
  }

  private static String mebibytes(Long bytes) {
    return bytes == null ? null : (bytes >> 20) + " MiB";
  }

  String markdown() {
    List<String> names = new ArrayList<>(List.of(""));
    names.addAll(head);
    Set<Integer> left = new TreeSet<>();
    for (int column = 0; column < names.size(); column++) {
      left.add(column);
    }
    TextTable table = new TextTable(names, left);
    for (Row row : rows) {
      List<String> cells = new ArrayList<>(List.of(row.what() + (row.matters() ? " (!)" : "")));
      cells.addAll(row.cells());
      table.add(cells);
    }
    return table.markdown();
  }
}
