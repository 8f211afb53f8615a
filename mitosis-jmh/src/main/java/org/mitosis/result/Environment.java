// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.mitosis.Availability;
import org.mitosis.BackendChoice;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The description of a run and its machine: the content of environment.json.
 *
 * <p>Written when the run starts and again when it ends, so that a killed run can be distinguished
 * from a complete one.
 *
 * @param schema version of this format, {@value #SCHEMA}
 * @param outcome whether the run goes on, or how it ended
 * @param started when it started, ISO 8601 in UTC
 * @param ended when it ended; null while it runs
 * @param failed the benchmarks that gave no result, or not those of all forks
 * @param repeated what failed in an earlier session of a sweep and was run again; null in files of
 *     versions that do not keep it
 * @param leftOut what was not run, and why
 * @param commandLine the arguments as given
 * @param mitosis the build of this program
 * @param backend the backend
 * @param jvm the Java virtual machine
 * @param machine the machine
 * @param tools programs and libraries; null in files of versions that do not keep them
 * @param cpuPlan which CPUs each process has (--pin), or {@value #NO_CPU_PLAN}; null in files of
 *     versions that do not keep it
 * @param transports which way pages really came, a line for each benchmark over {@code
 *     transport=rdma}; null in files of versions that do not keep it
 * @param before its state at the start
 * @param after its state at the end; null while it runs
 * @param warnings reasons why the figures are less reliable
 */
public record Environment(
    int schema,
    Outcome outcome,
    String started,
    String ended,
    List<String> failed,
    List<String> repeated,
    List<String> leftOut,
    List<String> commandLine,
    BuildInfo mitosis,
    BackendFacts backend,
    Jvm jvm,
    MachineFacts machine,
    Tools tools,
    String cpuPlan,
    List<String> transports,
    MachineFacts.State before,
    MachineFacts.State after,
    List<String> warnings) {

  /** The version of the format that this class writes. */
  public static final int SCHEMA = 1;

  /** The plan of a run whose processes run wherever the kernel puts them. */
  public static final String NO_CPU_PLAN = "none";

  /** Has a JVM since JDK 24 say nothing of JMH's use of Unsafe. */
  public static final String ALLOW_UNSAFE = "--sun-misc-unsafe-memory-access=allow";

  /** The begin of the warning of a load, which in the middle of measurements is their own. */
  static final String BUSY = "other processes use the CPUs";

  private static final double LOAD_PER_CPU_MAX = 0.5;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The outcome of a run. */
  public enum Outcome {
    /** It has not ended, or was killed. */
    RUNNING,
    /** Every benchmark gave a result. */
    COMPLETE,
    /** At least one benchmark gave no result, or not those of all forks. */
    FAILED,
    /** It was ended from outside, by Ctrl-C or a signal. */
    INTERRUPTED;

    /** Whether the run was ended before its last benchmark. */
    public boolean isWithoutEnd() {
      return this == RUNNING || this == INTERRUPTED;
    }

    /** The outcome as environment.json writes it. */
    @Override
    @JsonValue
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * The backend of a run.
   *
   * @param chosen its name
   * @param reason why it was chosen
   * @param availabilities of all backends
   */
  public record BackendFacts(String chosen, String reason, List<BackendFact> availabilities) {
    static BackendFacts of(BackendChoice choice) {
      return new BackendFacts(
          choice.backend().toString(),
          choice.reason(),
          choice.availabilities().stream().map(BackendFact::of).toList());
    }
  }

  /**
   * The availability of one backend.
   *
   * @param backend its name
   * @param available whether it can be used
   * @param cause why, or why not
   * @param remedy what to do; empty if available
   */
  public record BackendFact(String backend, boolean available, String cause, String remedy) {
    static BackendFact of(Availability availability) {
      return new BackendFact(
          availability.backend().toString(),
          availability.available(),
          availability.cause(),
          availability.remedy());
    }
  }

  /**
   * A Java virtual machine.
   *
   * @param version of the JDK
   * @param vendor its maker
   * @param vm name and version of the virtual machine
   * @param home its directory
   * @param arguments its command line options
   */
  public record Jvm(String version, String vendor, String vm, String home, List<String> arguments) {
    /** The virtual machine that runs this. */
    public static Jvm current() {
      return new Jvm(
          System.getProperty("java.version"),
          System.getProperty("java.vendor"),
          System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
          System.getProperty("java.home"),
          ManagementFactory.getRuntimeMXBean().getInputArguments());
    }
  }

  /** The environment of a run that starts now, with the tools that it uses. */
  public static Environment started(
      Instant now,
      List<String> commandLine,
      List<String> leftOut,
      BackendChoice backend,
      MachineProbe probe,
      Tools tools,
      String cpuPlan) {
    MachineFacts machine = probe.machine();
    MachineFacts.State before = probe.state();
    return new Environment(
        SCHEMA,
        Outcome.RUNNING,
        now.toString(),
        null,
        List.of(),
        List.of(),
        List.copyOf(leftOut),
        List.copyOf(commandLine),
        BuildInfo.current(),
        BackendFacts.of(backend),
        Jvm.current(),
        machine,
        tools,
        cpuPlan,
        List.of(),
        before,
        null,
        warnings(machine, before));
  }

  /**
   * This run as the continuation of one that was killed.
   *
   * @param begun the environment of that run
   * @throws MissingPrerequisite naming each difference, if it was begun in another environment
   */
  public Environment continuing(Environment begun) {
    List<String> differences = new ArrayList<>();
    EnvironmentDifference.between(begun, this)
        .forEach(difference -> differences.add(difference.toString()));
    if (!mitosis.equals(begun.mitosis())) {
      differences.add("mitosis: " + begun.mitosis() + " / " + mitosis);
    }
    if (!Objects.equals(machine.host(), begun.machine().host())) {
      differences.add("host: " + begun.machine().host() + " / " + machine.host());
    }
    if (!differences.isEmpty()) {
      throw new MissingPrerequisite(
          "the run started in another environment, and results of two environments are never mixed"
              + " ("
              + String.join("; ", differences)
              + "): continue it there, or start a new run");
    }
    Copy copy = new Copy(this);
    copy.started = begun.started();
    copy.ended = null;
    copy.failed = List.of();
    copy.repeated = List.of();
    copy.commandLine = begun.commandLine();
    copy.transports = begun.transports();
    copy.before = begun.before();
    copy.after = null;
    return copy.build();
  }

  /** The same run, of which is known which way pages came. */
  public Environment with(List<String> pagesCame) {
    Copy copy = new Copy(this);
    copy.transports = List.copyOf(pagesCame);
    return copy.build();
  }

  /** The same run, ended. */
  public Environment ended(
      Outcome how, Instant now, List<String> failedBenchmarks, MachineProbe probe) {
    return ended(how, now, failedBenchmarks, List.of(), probe);
  }

  /** The same run, ended, of which some benchmarks were run again. */
  public Environment ended(
      Outcome how,
      Instant now,
      List<String> failedBenchmarks,
      List<String> failedBefore,
      MachineProbe probe) {
    Copy copy = new Copy(this);
    copy.outcome = how;
    copy.ended = now.toString();
    copy.failed = List.copyOf(failedBenchmarks);
    copy.repeated = List.copyOf(failedBefore);
    copy.after = probe.state();
    List<String> all = new ArrayList<>(warnings);
    all.addAll(changesTo(probe.machine()));
    all.addAll(losses(machine, before, copy.after, Duration.between(Instant.parse(started), now)));
    copy.warnings = List.copyOf(all);
    return copy.build();
  }

  /** What matters for times and has changed since the run started. */
  private List<String> changesTo(MachineFacts later) {
    Copy now = new Copy(this);
    now.machine = later;
    return EnvironmentDifference.between(this, now.build()).stream()
        .map(
            one ->
                "the machine changed during the run ("
                    + one
                    + "): figures of before and after are of two environments; measure again")
        .toList();
  }

  /** What the machine lost of the whole run, where that is too much. */
  private static List<String> losses(
      MachineFacts machine, MachineFacts.State before, MachineFacts.State after, Duration length) {
    if (before.counters() == null || after.counters() == null) {
      return List.of();
    }
    int cpus = Objects.requireNonNullElse(machine.cpu().logical(), 1);
    return after.counters().since(before.counters(), length.toMillis(), cpus).stream()
        .filter(Counters.Lost::disturbs)
        .map(
            lost ->
                String.format(
                    Locale.ROOT,
                    "%s in %.1f %% of the run's time: times scatter; the rows that it met are"
                        + " marked",
                    Counters.words(lost.metric()),
                    lost.percent()))
        .toList();
  }

  /** A run's description with other values of some components. */
  private static final class Copy {
    private final Environment of;
    private Outcome outcome;
    private String started;
    private String ended;
    private List<String> failed;
    private List<String> repeated;
    private List<String> commandLine;
    private MachineFacts machine;
    private List<String> transports;
    private MachineFacts.State before;
    private MachineFacts.State after;
    private List<String> warnings;

    Copy(Environment of) {
      this.of = of;
      outcome = of.outcome;
      started = of.started;
      ended = of.ended;
      failed = of.failed;
      repeated = of.repeated;
      commandLine = of.commandLine;
      machine = of.machine;
      transports = of.transports;
      before = of.before;
      after = of.after;
      warnings = of.warnings;
    }

    Environment build() {
      return new Environment(
          of.schema,
          outcome,
          started,
          ended,
          failed,
          repeated,
          of.leftOut,
          commandLine,
          of.mitosis,
          of.backend,
          of.jvm,
          machine,
          of.tools,
          of.cpuPlan,
          transports,
          before,
          after,
          warnings);
    }
  }

  /** The text of environment.json. */
  public String toJson() {
    try {
      return JSON.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reasons why times on such a machine are noisy. */
  static List<String> warnings(MachineFacts machine, MachineFacts.State state) {
    List<String> warnings = new ArrayList<>();
    List<String> governors = machine.cpu().governors();
    if (governors != null && !governors.equals(List.of("performance"))) {
      warnings.add(
          "the CPU frequency governor is "
              + String.join(" and ", governors)
              + ": times change with the frequency; set it with 'cpupower frequency-set -g"
              + " performance'");
    }
    Integer cpus = machine.cpu().logical();
    if (state.load() != null && cpus != null && state.load().get(0) > LOAD_PER_CPU_MAX * cpus) {
      warnings.add(
          String.format(
              Locale.ROOT,
              BUSY
                  + ", or did in the last minute, as a build does (load %.2f on %d CPUs): while"
                  + " they do, times scatter; wait until they have ended",
              state.load().get(0),
              cpus));
    }
    if ("always".equals(machine.memory().hugePages())) {
      warnings.add(
          "transparent huge pages are 'always': a working set has fewer, larger pages, and prepare"
              + " and fork cost much less than with 4 KiB pages");
    }
    if (Boolean.TRUE.equals(machine.surroundings().hypervisor())) {
      warnings.add(
          "this is a virtual machine: its host may take away processor time and memory at any time;"
              + " compare only figures of one run");
    }
    return warnings;
  }
}
