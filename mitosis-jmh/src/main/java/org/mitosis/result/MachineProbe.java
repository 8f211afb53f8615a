// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads what {@link MachineFacts} holds from /proc, /sys and /etc. */
public final class MachineProbe {
  private static final long AT_PAGESZ = 6;
  private static final String CPUS = "sys/devices/system/cpu";
  private static final String CPU = "cpu[0-9]+";

  /** The field of /proc/stat, and the length of its ticks on every architecture we run on. */
  private static final int STEAL = 8;

  private static final long MS_PER_TICK = 10;
  private static final long NS_PER_US = 1_000;

  private final Path root;

  /**
   * A probe of the machine whose file systems are below a directory.
   *
   * @param root {@code /} for this machine
   */
  public MachineProbe(Path root) {
    this.root = root;
  }

  /** The properties that stay the same during a run. */
  public MachineFacts machine() {
    Map<String, Long> meminfo = meminfo();
    return new MachineFacts(
        text("proc/sys/kernel/hostname"),
        new MachineFacts.Kernel(
            text("proc/sys/kernel/ostype"),
            text("proc/sys/kernel/osrelease"),
            text("proc/sys/kernel/version"),
            text("proc/sys/kernel/arch")),
        kernelCommandLine(),
        distribution(),
        cpu(),
        new MachineFacts.Memory(
            meminfo.get("MemTotal"),
            meminfo.get("SwapTotal"),
            pageBytes(),
            number("proc/sys/vm/overcommit_memory", Integer::valueOf),
            chosen("sys/kernel/mm/transparent_hugepage/enabled"),
            chosen("sys/kernel/mm/transparent_hugepage/defrag")),
        number("proc/sys/kernel/randomize_va_space", Integer::valueOf),
        cgroups(),
        new MachineFacts.Surroundings(hypervisor(), vendor(), container()),
        settings(),
        rights(),
        RdmaPort.of(this));
  }

  /** The current load and free memory. */
  public MachineFacts.State state() {
    Map<String, Long> meminfo = meminfo();
    Long swapTotal = meminfo.get("SwapTotal");
    Long swapFree = meminfo.get("SwapFree");
    return new MachineFacts.State(
        load(),
        meminfo.get("MemAvailable"),
        swapTotal == null || swapFree == null ? null : Long.valueOf(swapTotal - swapFree),
        firstWord("proc/uptime", Double::valueOf),
        counters(),
        megahertz(),
        hottestCelsius());
  }

  /** The CPUs that the counters are of, at least 1; more than this process may use. */
  int onlineCpus() {
    return (int)
        Math.max(
            1, lines("proc/stat").stream().filter(line -> line.matches("cpu[0-9]+ .*")).count());
  }

  /** What has been counted of lost time since boot. */
  Counters counters() {
    return new Counters(
        stealMs(),
        pressureUs("cpu"),
        pressureUs("memory"),
        pressureUs("io"),
        throttledUs(),
        thermalThrottles());
  }

  /** {@code cpu user nice system idle iowait irq softirq steal …}, in ticks. */
  private Long stealMs() {
    String[] fields = lines("proc/stat").stream().findFirst().orElse("").split("\\s+");
    Long ticks =
        fields[0].equals("cpu") && fields.length > STEAL
            ? parsed(fields[STEAL], Long::valueOf)
            : null;
    return ticks == null ? null : Long.valueOf(ticks * MS_PER_TICK);
  }

  /** From the line {@code some avg10=0.00 avg60=0.00 avg300=0.00 total=123}. */
  private Long pressureUs(String resource) {
    return lines("proc/pressure/" + resource).stream()
        .filter(line -> line.startsWith("some ") && line.contains(" total="))
        .map(line -> parsed(line.replaceFirst(".* total=", ""), Long::valueOf))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private Long throttledUs() {
    List<String> memberships = lines("proc/self/cgroup");
    if (exists("sys/fs/cgroup/cgroup.controllers")) {
      return named(
          text("sys/fs/cgroup" + membership(memberships, "").orElse("/") + "/cpu.stat"),
          "throttled_usec");
    }
    Long ns = named(inGroup(memberships, "cpu", "cpu.stat"), "throttled_time");
    return ns == null ? null : Long.valueOf(ns / NS_PER_US);
  }

  private static Long named(String text, String name) {
    return text == null
        ? null
        : text.lines()
            .filter(line -> line.startsWith(name + " "))
            .map(line -> parsed(line.substring(name.length()).strip(), Long::valueOf))
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
  }

  private Long thermalThrottles() {
    List<Long> counts =
        entries(CPUS, CPU).stream()
            .map(
                cpu ->
                    number(
                        CPUS + "/" + cpu + "/thermal_throttle/core_throttle_count", Long::valueOf))
            .filter(Objects::nonNull)
            .toList();
    return counts.isEmpty() ? null : Long.valueOf(counts.stream().mapToLong(Long::longValue).sum());
  }

  private List<Double> megahertz() {
    List<Double> all =
        processors().stream()
            .map(processor -> parsed(processor.get("cpu MHz"), Double::valueOf))
            .filter(Objects::nonNull)
            .sorted()
            .toList();
    return all.isEmpty() ? null : List.of(all.get(0), all.get(all.size() - 1));
  }

  private Double hottestCelsius() {
    return entries("sys/class/thermal", "thermal_zone[0-9]+").stream()
        .map(zone -> number("sys/class/thermal/" + zone + "/temp", Double::valueOf))
        .filter(Objects::nonNull)
        .max(Double::compare)
        .map(milli -> milli / 1000)
        .orElse(null);
  }

  private MachineFacts.Settings settings() {
    Map<String, String> vulnerabilities = new TreeMap<>();
    for (String name : entries(CPUS + "/vulnerabilities", "[a-z0-9_]+")) {
      vulnerabilities.put(name, text(CPUS + "/vulnerabilities/" + name));
    }
    String monitors = "sys/kernel/mm/damon/admin/kdamonds";
    List<String> damon =
        entries(monitors, "[0-9]+").stream()
            .sorted()
            .map(one -> one + " " + text(monitors + "/" + one + "/state"))
            .toList();
    return new MachineFacts.Settings(
        text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
        vulnerabilities,
        number("sys/kernel/mm/ksm/run", Integer::valueOf),
        number("proc/sys/vm/swappiness", Integer::valueOf),
        number("proc/sys/kernel/numa_balancing", Integer::valueOf),
        damon);
  }

  private MachineFacts.Rights rights() {
    // Real, effective, saved, file system.
    String[] users = String.valueOf(ofStatus("Uid")).split("\\s+");
    return new MachineFacts.Rights(
        users.length < 2 ? null : parsed(users[1], Long::valueOf),
        ofStatus("CapEff"),
        ofStatus("Cpus_allowed_list"));
  }

  /** A value of this process's status. */
  private String ofStatus(String name) {
    return lines("proc/self/status").stream()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElse(null);
  }

  /** The text of a file below the root without the line's end; null if it cannot be read. */
  public String text(String file) {
    try {
      return new String(Files.readAllBytes(root.resolve(file)), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return null;
    }
  }

  /** Arguments after two dashes go to the first process, and may be secrets. */
  private String kernelCommandLine() {
    String text = text("proc/cmdline");
    return text == null ? null : text.split("(?:^|\\s+)--(?:\\s|$)", 2)[0];
  }

  private List<String> lines(String file) {
    String text = text(file);
    return text == null || text.isEmpty() ? List.of() : text.lines().toList();
  }

  private boolean exists(String file) {
    return Files.exists(root.resolve(file));
  }

  private <T> T number(String file, Function<String, T> parse) {
    return parsed(text(file), parse);
  }

  private <T> T firstWord(String file, Function<String, T> parse) {
    String text = text(file);
    return text == null ? null : parsed(text.split("\\s+", 2)[0], parse);
  }

  private static <T> T parsed(String text, Function<String, T> parse) {
    try {
      return text == null ? null : parse.apply(text);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private List<Double> load() {
    String text = text("proc/loadavg");
    if (text == null) {
      return null;
    }
    List<Double> averages =
        Arrays.stream(text.split("\\s+"))
            .limit(3)
            .map(word -> parsed(word, Double::valueOf))
            .filter(Objects::nonNull)
            .toList();
    return averages.size() == 3 ? averages : null;
  }

  /** Sizes by name, in bytes. */
  private Map<String, Long> meminfo() {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (String line : lines("proc/meminfo")) {
      String[] fields = line.split(":?\\s+");
      if (fields.length == 3 && fields[2].equals("kB")) {
        Long kibibytes = parsed(fields[1], Long::valueOf);
        if (kibibytes != null) {
          sizes.put(fields[0], kibibytes * 1024);
        }
      }
    }
    return sizes;
  }

  private String distribution() {
    for (String line : lines("etc/os-release")) {
      if (line.startsWith("PRETTY_NAME=")) {
        return line.substring("PRETTY_NAME=".length()).replace("\"", "");
      }
    }
    return null;
  }

  /** The option in brackets, by which the kernel marks the chosen one. */
  private String chosen(String file) {
    String text = text(file);
    if (text == null) {
      return null;
    }
    int open = text.indexOf('[');
    int close = text.indexOf(']', open + 1);
    return open < 0 || close < 0 ? null : text.substring(open + 1, close);
  }

  private Long pageBytes() {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(root.resolve("proc/self/auxv"));
    } catch (IOException e) {
      return null;
    }
    ByteBuffer entries = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    while (entries.remaining() >= 2 * Long.BYTES) {
      long key = entries.getLong();
      long value = entries.getLong();
      if (key == AT_PAGESZ) {
        return value;
      }
    }
    return null;
  }

  private MachineFacts.Cpu cpu() {
    List<Map<String, String>> processors = processors();
    Map<String, String> first = processors.isEmpty() ? Map.of() : processors.get(0);
    return new MachineFacts.Cpu(
        first.get("model name"),
        distinct(processors, processor -> processor.get("physical id")),
        distinct(
            processors,
            processor ->
                processor.get("core id") == null
                    ? null
                    : processor.get("physical id") + "/" + processor.get("core id")),
        processors.isEmpty() ? null : Integer.valueOf(processors.size()),
        first.get("microcode"),
        governors(),
        text("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"),
        turbo(),
        flag("sys/devices/system/cpu/smt/active", "1", "0"),
        numaNodes());
  }

  private List<Map<String, String>> processors() {
    List<Map<String, String>> processors = new ArrayList<>();
    for (String line : lines("proc/cpuinfo")) {
      String[] pair = line.split("\\s*:\\s*", 2);
      if (pair[0].equals("processor")) {
        processors.add(new LinkedHashMap<>());
      }
      if (!processors.isEmpty() && pair.length == 2) {
        processors.get(processors.size() - 1).put(pair[0], pair[1]);
      }
    }
    return processors;
  }

  private static Integer distinct(
      List<Map<String, String>> processors, Function<Map<String, String>, String> key) {
    long count = processors.stream().map(key).filter(Objects::nonNull).distinct().count();
    return count == 0 ? null : Integer.valueOf((int) count);
  }

  private List<String> governors() {
    TreeSet<String> governors =
        entries("sys/devices/system/cpu", "cpu[0-9]+").stream()
            .map(cpu -> text("sys/devices/system/cpu/" + cpu + "/cpufreq/scaling_governor"))
            .filter(Objects::nonNull)
            .collect(Collectors.toCollection(TreeSet::new));
    return governors.isEmpty() ? null : List.copyOf(governors);
  }

  private Boolean turbo() {
    Boolean intel = flag("sys/devices/system/cpu/intel_pstate/no_turbo", "0", "1");
    return intel != null ? intel : flag("sys/devices/system/cpu/cpufreq/boost", "1", "0");
  }

  private Boolean flag(String file, String ifTrue, String ifFalse) {
    String text = text(file);
    if (ifTrue.equals(text)) {
      return Boolean.TRUE;
    }
    return ifFalse.equals(text) ? Boolean.FALSE : null;
  }

  private Integer numaNodes() {
    int nodes = entries("sys/devices/system/node", "node[0-9]+").size();
    return nodes == 0 ? null : Integer.valueOf(nodes);
  }

  /** The names in a directory below the root that match a pattern; none if it cannot be read. */
  public List<String> entries(String directory, String pattern) {
    try (Stream<Path> entries = Files.list(root.resolve(directory))) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.matches(pattern))
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private MachineFacts.Cgroups cgroups() {
    List<String> memberships = lines("proc/self/cgroup");
    if (exists("sys/fs/cgroup/cgroup.controllers")) {
      String group = "sys/fs/cgroup" + membership(memberships, "").orElse("/");
      return new MachineFacts.Cgroups(
          2,
          memberships,
          text(group + "/memory.max"),
          text(group + "/cpu.max"),
          text(group + "/pids.max"));
    }
    if (!exists("sys/fs/cgroup/memory") && !exists("sys/fs/cgroup/cpu")) {
      return new MachineFacts.Cgroups(
          exists("sys/fs/cgroup") ? 0 : null, memberships, null, null, null);
    }
    String quota = inGroup(memberships, "cpu", "cpu.cfs_quota_us");
    String period = inGroup(memberships, "cpu", "cpu.cfs_period_us");
    return new MachineFacts.Cgroups(
        1,
        memberships,
        inGroup(memberships, "memory", "memory.limit_in_bytes"),
        quota == null || period == null ? null : quota + " " + period,
        inGroup(memberships, "pids", "pids.max"));
  }

  private String inGroup(List<String> memberships, String controller, String file) {
    String group = membership(memberships, controller).orElse("/");
    return text("sys/fs/cgroup/" + controller + group + "/" + file);
  }

  /** The path in the lines {@code id:controllers:path} for a controller; "" is version 2. */
  private static Optional<String> membership(List<String> memberships, String controller) {
    return memberships.stream()
        .map(line -> line.split(":", 3))
        .filter(fields -> fields.length == 3)
        .filter(fields -> List.of(fields[1].split(",", -1)).contains(controller))
        .map(fields -> fields[2])
        .findFirst();
  }

  private Boolean hypervisor() {
    return processors().stream()
        .map(processor -> processor.get("flags"))
        .filter(Objects::nonNull)
        .findFirst()
        .map(flags -> Arrays.asList(flags.split(" ")).contains("hypervisor"))
        .orElse(null);
  }

  private String vendor() {
    String text =
        Stream.of("sys_vendor", "product_name")
            .map(name -> text("sys/class/dmi/id/" + name))
            .filter(part -> part != null && !part.isEmpty())
            .collect(Collectors.joining(" "));
    return text.isEmpty() ? null : text;
  }

  private String container() {
    String manager = text("run/systemd/container");
    if (manager != null && !manager.isEmpty()) {
      return manager;
    }
    return Stream.of(".dockerenv", "run/.containerenv")
        .filter(this::exists)
        .map(file -> "/" + file)
        .findFirst()
        .orElse(null);
  }
}
