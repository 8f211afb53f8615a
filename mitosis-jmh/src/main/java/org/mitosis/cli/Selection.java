// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.fixture.ClassArchive;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.Crac;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.RdmaDevice;
import org.mitosis.fixture.RemoteJvm;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Transport;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.VerboseMode;

/** The benchmarks that JMH will run for given options, known before it runs them. */
final class Selection {
  /**
   * One line of JMH's final table.
   *
   * @param benchmark class and method
   * @param mode what JMH measures
   * @param parameters values by name
   */
  record Item(String benchmark, Mode mode, SortedMap<String, String> parameters) {
    static Item of(RunResult result) {
      BenchmarkParams params = result.getParams();
      SortedMap<String, String> parameters = new TreeMap<>();
      for (String name : params.getParamsKeys()) {
        parameters.put(name, params.getParam(name));
      }
      return new Item(params.getBenchmark(), params.getMode(), parameters);
    }

    /** The name by which a user selects it. */
    @Override
    public String toString() {
      return shortName(benchmark)
          + parameters.entrySet().stream()
              .map(parameter -> " " + parameter.getKey() + "=" + parameter.getValue())
              .collect(Collectors.joining());
    }
  }

  /**
   * The memory sizes to run with.
   *
   * @param override values to give to JMH; empty to leave the parameter alone
   * @param leftOut a message for each size of the default sweep that does not fit
   */
  record Sizes(List<String> override, List<String> leftOut) {}

  /**
   * The functions to run with.
   *
   * @param override values to give to JMH; empty to leave the parameter alone
   * @param excluded user names of the benchmarks that can run with none of them
   * @param leftOut a message for each function of the default sweep that cannot run here
   */
  record Functions(List<String> override, List<String> excluded, List<String> leftOut) {
    /** Also leaves out what the other leaves out. */
    Functions and(Functions other) {
      return new Functions(
          override, joined(excluded, other.excluded), joined(leftOut, other.leftOut));
    }

    private static List<String> joined(List<String> one, List<String> other) {
      return Stream.concat(one.stream(), other.stream()).toList();
    }
  }

  private static final OutputFormat SILENT =
      OutputFormatFactory.createFormatInstance(
          new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8),
          VerboseMode.SILENT);

  private final Collection<BenchmarkListEntry> entries;

  Selection(Collection<BenchmarkListEntry> entries) {
    this.entries = List.copyOf(entries);
  }

  /** The benchmarks of this class path that the options select. */
  static Selection of(Options options) {
    return new Selection(
        BenchmarkList.defaultList().find(SILENT, options.getIncludes(), options.getExcludes()));
  }

  Collection<BenchmarkListEntry> entries() {
    return entries;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  private static String meant(String regexp, Set<String> names) {
    return regexp.matches("mitosisd|mitosis-[a-z-]+")
        ? " (a program: it is in the folder that 'programs' prints)"
        : Spelling.hint(regexp, names);
  }

  /** Why a selection is empty, with what was meant if that can be told. */
  static String nothingMatches(Options options) {
    Set<String> names = new LinkedHashSet<>(Main.COMMANDS);
    names.add("--version");
    for (BenchmarkListEntry entry : BenchmarkList.defaultList().getAll(SILENT, List.of())) {
      String name = shortName(entry.getUsername());
      names.add(name);
      names.add(name.substring(0, name.indexOf('.')));
    }
    return "no benchmark matches "
        + options.getIncludes().stream()
            .map(regexp -> "'" + regexp + "'" + meant(regexp, names))
            .collect(Collectors.joining(", "))
        + (options.getExcludes().isEmpty()
            ? ""
            : " without " + String.join(", ", options.getExcludes()))
        + "; 'list' lists the benchmarks, 'help' the commands";
  }

  /** Class and method. */
  static String shortName(String benchmark) {
    return benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
  }

  /**
   * Checks the memory sizes asked for; without any, leaves out those of the default sweep that this
   * machine cannot hold. JMH knows one list of values for all benchmarks: if any is left out, each
   * benchmark runs with every size that is left of all defaults.
   *
   * @throws MissingPrerequisite if a requested size is invalid or does not fit, or no size fits
   */
  Sizes memorySizes(Options options, MachineMemory memory) {
    List<BenchmarkListEntry> sized =
        entries.stream()
            .filter(entry -> entry.getParams().hasValue())
            .filter(entry -> entry.getParams().get().containsKey(MemorySize.PROPERTY))
            .toList();
    List<String> defaults =
        sized.stream()
            .flatMap(entry -> Arrays.stream(entry.getParams().get().get(MemorySize.PROPERTY)))
            .distinct()
            .toList();
    if (defaults.isEmpty()) {
      return new Sizes(List.of(), List.of());
    }
    int copies =
        sized.stream()
            .flatMap(entry -> needs(entry).stream())
            .mapToInt(Needs::workingSets)
            .max()
            .orElse(1);
    int threads = threads(options);
    if (options.getParameter(MemorySize.PROPERTY).hasValue()) {
      Set<String> asked = new LinkedHashSet<>();
      for (String text : options.getParameter(MemorySize.PROPERTY).get()) {
        MemorySize size = parse(text);
        Preflight.requireMemory(size, copies, threads, memory);
        asked.add(size.toString());
      }
      return new Sizes(List.copyOf(asked), List.of());
    }
    List<String> fitting = new ArrayList<>();
    List<String> leftOut = new ArrayList<>();
    for (String text : defaults) {
      try {
        Preflight.requireMemory(parse(text), copies, threads, memory);
        fitting.add(text);
      } catch (MissingPrerequisite e) {
        leftOut.add(e.getMessage());
      }
    }
    if (fitting.isEmpty()) {
      throw new MissingPrerequisite(leftOut.get(0));
    }
    return new Sizes(leftOut.isEmpty() ? List.of() : fitting, leftOut);
  }

  /**
   * Checks the functions asked for; without any, leaves out those of the default sweep that lack
   * something on this machine.
   *
   * @throws MissingPrerequisite if a requested function is unknown or lacks something, or nothing
   *     is left to run
   */
  Functions functions(Options options) {
    List<BenchmarkListEntry> ofFunctions =
        entries.stream()
            .filter(entry -> entry.getParams().hasValue())
            .filter(entry -> entry.getParams().get().containsKey(PythonFunction.PROPERTY))
            .toList();
    if (ofFunctions.isEmpty()) {
      return new Functions(List.of(), List.of(), List.of());
    }
    if (options.getParameter(PythonFunction.PROPERTY).hasValue()) {
      options.getParameter(PythonFunction.PROPERTY).get().forEach(Preflight::function);
      return new Functions(List.of(), List.of(), List.of());
    }
    List<String> defaults =
        ofFunctions.stream()
            .flatMap(entry -> Arrays.stream(entry.getParams().get().get(PythonFunction.PROPERTY)))
            .distinct()
            .toList();
    List<String> present = new ArrayList<>();
    Set<String> leftOut = new LinkedHashSet<>();
    for (String text : defaults) {
      try {
        Preflight.function(text);
        present.add(text);
      } catch (MissingPrerequisite e) {
        leftOut.add(e.getMessage());
      }
    }
    if (!present.isEmpty()) {
      return new Functions(
          leftOut.isEmpty() ? List.of() : present, List.of(), List.copyOf(leftOut));
    }
    if (ofFunctions.size() == entries.size()) {
      throw new MissingPrerequisite(leftOut.iterator().next());
    }
    return new Functions(
        List.of(),
        ofFunctions.stream().map(BenchmarkListEntry::getUsername).distinct().toList(),
        List.copyOf(leftOut));
  }

  /**
   * Leaves out the benchmarks that this machine or user cannot run, whatever their parameters.
   *
   * @throws MissingPrerequisite if nothing is left to run
   */
  Functions possible() {
    return criu().and(rdma()).and(strictContainers()).and(jvm());
  }

  /** Without CRIU that works here; without pipes large enough, that with a server over TCP. */
  private Functions criu() {
    List<String> needing =
        entries.stream()
            .filter(
                entry ->
                    needs(entry).filter(Needs::criu).isPresent()
                        || entry.getUsername().endsWith(".criu"))
            .map(BenchmarkListEntry::getUsername)
            .distinct()
            .toList();
    if (needing.isEmpty()) {
      return new Functions(List.of(), List.of(), List.of());
    }
    try {
      Criu.requireWorking();
    } catch (MissingPrerequisite e) {
      return without(needing, e);
    }
    List<String> overTcp = needing.stream().filter(name -> name.endsWith(".lazyTcp")).toList();
    if (!overTcp.isEmpty()) {
      try {
        Criu.requirePipes();
      } catch (MissingPrerequisite e) {
        return without(overTcp, e);
      }
    }
    return new Functions(List.of(), List.of(), List.of());
  }

  private Functions rdma() {
    return unless(RdmaDevice::requireHost, userNames(Needs::rdma));
  }

  private Functions strictContainers() {
    List<String> needing =
        userNames(Needs::strictContainer).stream()
            .filter(name -> name.endsWith(".strict"))
            .toList();
    return unless(() -> Preflight.requireContainer(ContainerKind.STRICT), needing);
  }

  /** Without those of a JVM, or of threads, that this machine or this JDK cannot run. */
  private Functions jvm() {
    return ofJvm("jvmAotCache", false, ClassArchive.Kind.AOT_CACHE::require)
        .and(ofJvm("jvmCriu", false, Criu::requireWorking))
        .and(ofJvm("jvmCriuLazy", false, Criu::requireWorking))
        .and(ofJvm("jvmCrac", false, Crac::require))
        .and(ofJvm("jvm", true, RemoteJvm::requirePossible))
        .and(ofJvm("threads", true, RemoteJvm::requirePossible));
  }

  /** Those of a method, and only where children get their pages by userfaultfd if that is said. */
  private Functions ofJvm(String method, boolean ofChildren, Runnable requirement) {
    List<String> needing =
        entries.stream()
            .filter(entry -> !ofChildren || needs(entry).filter(Needs::userfaultfd).isPresent())
            .map(BenchmarkListEntry::getUsername)
            .filter(name -> name.endsWith("." + method))
            .distinct()
            .toList();
    return unless(requirement, needing);
  }

  /** Leaves some out if they need what is not there; does not ask for what nothing needs. */
  private Functions unless(Runnable requirement, List<String> needing) {
    if (!needing.isEmpty()) {
      try {
        requirement.run();
      } catch (MissingPrerequisite e) {
        return without(needing, e);
      }
    }
    return new Functions(List.of(), List.of(), List.of());
  }

  /** Of the benchmarks that need it. */
  private List<String> userNames(Predicate<Needs> need) {
    return entries.stream()
        .filter(entry -> needs(entry).filter(need).isPresent())
        .map(BenchmarkListEntry::getUsername)
        .distinct()
        .toList();
  }

  private Functions without(List<String> some, MissingPrerequisite reason) {
    if (entries.stream().allMatch(entry -> some.contains(entry.getUsername()))) {
      throw reason;
    }
    return new Functions(
        List.of(), some, List.of(String.join(", ", some) + ": " + reason.getMessage()));
  }

  /** These benchmarks but some, by their user names. */
  Selection without(Collection<String> excluded) {
    return new Selection(
        entries.stream().filter(entry -> !excluded.contains(entry.getUsername())).toList());
  }

  /**
   * Checks the values of all parameters.
   *
   * @throws MissingPrerequisite if one is invalid
   */
  void requireParameters(Options options) {
    for (BenchmarkListEntry entry : entries) {
      ParameterCheck check = new ParameterCheck(entry);
      parameters(entry, options).forEach(check::require);
    }
  }

  /**
   * Checks that this machine has what the transports asked for need.
   *
   * @throws MissingPrerequisite if not; says what to do
   */
  void requireTransports(Options options, BackendChoice backend) {
    boolean rdma =
        entries.stream()
            .flatMap(entry -> parameters(entry, options).stream())
            .map(parameters -> parameters.getOrDefault(Transport.PROPERTY, ""))
            .anyMatch(Transport.RDMA.toString()::equalsIgnoreCase);
    if (rdma) {
      RdmaDevice.requireBackend(backend.backend());
      RdmaDevice.requireHost();
    }
  }

  /**
   * Leaves out the benchmarks whose children get their pages by userfaultfd, unless this user may
   * use it.
   *
   * @throws MissingPrerequisite if nothing is left to run
   */
  Functions userfaultfd(Options options, BackendChoice backend, UserfaultfdRight right) {
    if (backend.backend() != Backend.USER) {
      return new Functions(List.of(), List.of(), List.of());
    }
    List<String> clones =
        onlyClones(options)
            ? entries.stream()
                .filter(Selection::hasResumeMode)
                .map(BenchmarkListEntry::getUsername)
                .toList()
            : List.of();
    return unless(
        () -> Preflight.requireUserfaultfd(right),
        userNames(Needs::userfaultfd).stream()
            .filter(name -> !clones.contains(name) && !startsNoChild(name))
            .toList());
  }

  /**
   * Says once which figures a run will lack, as its forks cannot count bytes on links; leaves out
   * no benchmark.
   *
   * @param obstacle as {@link LinkTraffic#obstacle} tells it
   */
  Functions linkTraffic(Options options, String obstacle) {
    List<String> counting =
        entries.stream()
            .filter(entry -> needs(entry).filter(Needs::linkTraffic).isPresent())
            .filter(
                entry ->
                    parameters(entry, options).stream()
                        .map(parameters -> parameters.getOrDefault(Transport.PROPERTY, ""))
                        .anyMatch(name -> !Transport.LOCAL.toString().equalsIgnoreCase(name)))
            .map(BenchmarkListEntry::getUsername)
            .distinct()
            .toList();
    return new Functions(
        List.of(),
        List.of(),
        obstacle.isEmpty() || counting.isEmpty()
            ? List.of()
            : List.of(
                String.join(", ", counting) + ": bytes on the parent's link, as " + obstacle));
  }

  private static boolean hasResumeMode(BenchmarkListEntry entry) {
    return entry.getParams().hasValue() && entry.getParams().get().containsKey(ResumeMode.PROPERTY);
  }

  /** In a class whose other benchmarks do. */
  private static boolean startsNoChild(String name) {
    return name.matches(
        ".*[.]jvm(ColdStart|AppCds|AotCache|Criu|Crac|Pool)|.*[.](coldStart|criu)|.*[.]NilRpc[.]jna");
  }

  /**
   * Checks that each parameter given is of a selected benchmark: JMH would not say.
   *
   * @param args JMH's command line
   * @throws MissingPrerequisite if not
   */
  void requireKnownParameters(List<String> args) {
    SortedSet<String> known =
        entries.stream()
            .filter(entry -> entry.getParams().hasValue())
            .flatMap(entry -> entry.getParams().get().keySet().stream())
            .collect(Collectors.toCollection(TreeSet::new));
    requireParameters(args, known);
  }

  /**
   * The same, with the parameters that are known.
   *
   * @param args JMH's command line
   * @param known the names
   * @throws MissingPrerequisite if another one is given
   */
  static void requireParameters(List<String> args, SortedSet<String> known) {
    for (String name : parameterNames(args)) {
      if (!known.contains(name)) {
        throw new MissingPrerequisite(
            "no selected benchmark has the parameter "
                + name
                + Spelling.hint(name, known)
                + (known.isEmpty() ? "" : "; they have " + String.join(", ", known)));
      }
    }
  }

  /** Of {@code -p NAME=VALUE}, also without the space. */
  private static List<String> parameterNames(List<String> args) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      String value = "";
      if (arg.equals("-p") && i + 1 < args.size()) {
        value = args.get(++i);
      } else if (arg.startsWith("-p") && !arg.startsWith("-prof")) {
        value = arg.substring(2);
      }
      if (value.contains("=")) {
        names.add(value.substring(0, value.indexOf('=')));
      }
    }
    return names;
  }

  /** Whether the options resume children in a mode without userfaultfd only. */
  private static boolean onlyClones(Options options) {
    Set<String> modes = values(options, ResumeMode.PROPERTY);
    boolean local = values(options, Transport.PROPERTY).equals(Set.of(Transport.LOCAL.toString()));
    Set<String> cloning =
        local
            ? Set.of(ResumeMode.CLONE.toString(), ResumeMode.AUTO.toString())
            : Set.of(ResumeMode.CLONE.toString());
    return !modes.isEmpty() && cloning.containsAll(modes);
  }

  /** Of a parameter that was given; else none. */
  private static Set<String> values(Options options, String parameter) {
    return options.getParameter(parameter).hasValue()
        ? Set.copyOf(options.getParameter(parameter).get())
        : Set.of();
  }

  private static Optional<Needs> needs(BenchmarkListEntry entry) {
    try {
      return Optional.ofNullable(
          Class.forName(entry.getUserClassQName()).getAnnotation(Needs.class));
    } catch (ClassNotFoundException e) {
      return Optional.empty(); // JMH reports it when it runs the benchmark
    }
  }

  /** Each benchmark thread has a working set of its own. */
  private static int threads(Options options) {
    int threads = options.getThreads().orElse(1);
    return threads == Threads.MAX ? Runtime.getRuntime().availableProcessors() : threads;
  }

  private static MemorySize parse(String text) {
    try {
      return MemorySize.parse(text);
    } catch (IllegalArgumentException e) {
      throw new MissingPrerequisite(e.getMessage());
    }
  }

  /** Everything that will be run, with the modes and parameters of the options. */
  Set<Item> items(Options options) {
    Set<Item> items = new LinkedHashSet<>();
    for (BenchmarkListEntry entry : entries) {
      Collection<Mode> modes =
          options.getBenchModes().isEmpty() ? List.of(entry.getMode()) : options.getBenchModes();
      for (SortedMap<String, String> parameters : parameters(entry, options)) {
        for (Mode mode : modes) {
          for (Mode each : mode == Mode.All ? Mode.values() : new Mode[] {mode}) {
            if (each != Mode.All) {
              items.add(new Item(entry.getUsername(), each, parameters));
            }
          }
        }
      }
    }
    return items;
  }

  /** Every combination of the parameters' values. */
  private static List<SortedMap<String, String>> parameters(
      BenchmarkListEntry entry, Options options) {
    List<SortedMap<String, String>> combinations = List.of(new TreeMap<>());
    if (entry.getParams().hasValue()) {
      for (Map.Entry<String, String[]> parameter : entry.getParams().get().entrySet()) {
        Collection<String> values =
            options.getParameter(parameter.getKey()).orElse(List.of(parameter.getValue()));
        List<SortedMap<String, String>> longer = new ArrayList<>();
        for (SortedMap<String, String> combination : combinations) {
          for (String value : values) {
            SortedMap<String, String> further = new TreeMap<>(combination);
            further.put(parameter.getKey(), value);
            longer.add(further);
          }
        }
        combinations = longer;
      }
    }
    return combinations;
  }
}
