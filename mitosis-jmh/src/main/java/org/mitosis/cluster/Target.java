// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.PythonFunction;

/** The targets of {@code cluster}: those of the MITOSIS artifact's makefile, and {@code burst}. */
enum Target {
  /** Prepare of the C program. */
  MICRO_C_PREPARE(Kind.PREPARE, "time of prepare, C program, by memory size"),
  /** Prepare of functions. */
  MICRO_FUNCTION_PREPARE(Kind.PREPARE, "time of prepare, functions"),
  /** Lean containers with a resumed child that ends at once. */
  MICRO_C_STARTUP(Kind.LOOPS, "lean container + resume + end, C program, by memory size"),
  /** The same with functions. */
  MICRO_FUNCTION_STARTUP(Kind.LOOPS, "lean container + resume + end, functions"),
  /** The work of a child. */
  MICRO_C_EXECUTION(Kind.EXECUTION, "work of a child after resume, C program, by memory size"),
  /** The same with functions. */
  MICRO_FUNCTION_EXECUTION(Kind.EXECUTION, "work of a child after resume, functions"),
  /** Startup and work together. */
  MICRO_C_STARTUP_EXECUTION(Kind.LOOPS, "as micro-c-startup, and the child works"),
  /** The same with functions. */
  MICRO_FUNCTION_STARTUP_EXECUTION(Kind.LOOPS, "as micro-function-startup, and the child works"),
  /** The work of a child that touches a share of its pages. */
  MICRO_TOUCH_RATIO(Kind.EXECUTION, "work of a child, 64 MiB, by share of pages touched (%)"),
  /** Peak throughput of functions: children started per second on all child machines. */
  PEAK_FUNC_LEAN_CONTAINER(
      Kind.LOOPS, "children/s of all child machines, functions, which are called"),
  /** Peak throughput of the C program. */
  PEAK_C_LEAN_CONTAINER(
      Kind.LOOPS, "children/s of all child machines, C program, which ends at once"),
  /** Peak throughput of the C program by share of pages touched. */
  PEAK_C_TOUCH_RATIO(Kind.LOOPS, "children/s, 64 MiB, by share of pages touched (%)"),
  /** Many children of a fresh snapshot at once. */
  BURST(Kind.BURST, "TIMES children at once on all child machines, C program, which works"),
  /** Empty containers and processes. */
  PEAK_EMPTY_FORK(Kind.EMPTY, "empty lean containers/s, and plain processes/s"),
  /** Functions that are called repeatedly, without a fork. */
  PEAK_FUNCTION_EXEC(Kind.WORK, "calls/s of functions on the parent machine, no fork"),
  /** The C program's work, without a fork. */
  PEAK_C_EXEC(Kind.WORK, "touches/s of the C program on the parent machine, no fork"),
  /** Empty requests to the parent machine. */
  PEAK_NIL_RPC(Kind.NIL_RPC, "empty requests/s from all child machines"),
  /** Copies benchmarks.jar to all machines; builds and loads the module there. */
  BUILD_MITOSIS_PREFETCH(Kind.DEPLOY, "copy benchmarks.jar; with BACKEND=kernel build and load"),
  /** Removes everything from all machines. */
  CLEAN(Kind.CLEAN, "end what runs, unload what was loaded, remove what was copied");

  /** What kind of work a target is. */
  enum Kind {
    PREPARE,
    LOOPS,
    BURST,
    EXECUTION,
    EMPTY,
    WORK,
    NIL_RPC,
    DEPLOY,
    CLEAN;

    boolean measures() {
      return this != DEPLOY && this != CLEAN;
    }
  }

  private static final List<MemorySize> TOUCHED = List.of(MemorySize.ofMebibytes(64));
  private static final List<Integer> ALL_PAGES = List.of(100);
  private static final int ARTIFACT_FUNCTION_LOOPS = 24;
  private static final int ARTIFACT_C_LOOPS = 16;
  private static final int ARTIFACT_RPC_LOOPS = 12;
  private static final int TIMES = 10;
  private static final int BURST_CHILDREN = 100;

  private final Kind kind;
  private final String description;

  Target(Kind kind, String description) {
    this.kind = kind;
    this.description = description;
  }

  /** The target of this name, as the makefile has it. */
  static Optional<Target> named(String name) {
    return Arrays.stream(values()).filter(target -> target.toString().equals(name)).findFirst();
  }

  Kind kind() {
    return kind;
  }

  /** What it does, in one line. */
  String description() {
    return description;
  }

  /** Whether child machines are needed. */
  boolean needsChildren() {
    return switch (kind) {
      case LOOPS, BURST, NIL_RPC, EMPTY -> true;
      default -> false;
    };
  }

  /** Whether machines beside the parent's take part. */
  boolean usesChildren() {
    return kind != Kind.PREPARE && kind != Kind.WORK;
  }

  boolean isPeak() {
    return name().startsWith("PEAK_");
  }

  /** Whether children of a snapshot get pages by userfaultfd. */
  boolean resumes() {
    return kind == Kind.LOOPS || kind == Kind.BURST || kind == Kind.EXECUTION;
  }

  boolean ofFunctions() {
    return name().contains("_FUNC_") || name().contains("_FUNCTION_");
  }

  private boolean ofTouchRatios() {
    return name().endsWith("TOUCH_RATIO");
  }

  /** Whether children do their work; otherwise they end at once. */
  private boolean childWorks() {
    return kind == Kind.EXECUTION
        || kind == Kind.BURST
        || name().endsWith("STARTUP_EXECUTION")
        || ofTouchRatios()
        || this == PEAK_FUNC_LEAN_CONTAINER;
  }

  /** Loops on each machine, if the config does not say. */
  private int defaultLoops() {
    if (!isPeak()) {
      return 1;
    }
    return kind == Kind.NIL_RPC
        ? ARTIFACT_RPC_LOOPS
        : ofFunctions() ? ARTIFACT_FUNCTION_LOOPS : ARTIFACT_C_LOOPS;
  }

  private int defaultSeconds() {
    return isPeak() ? 30 : 5;
  }

  /**
   * The points that are measured, in order.
   *
   * @param config gives sizes, functions, ratios, loops and seconds
   */
  List<Point> points(ClusterConfig config) {
    int loops = config.loops(defaultLoops());
    int seconds = config.seconds(defaultSeconds());
    int times = config.times(kind == Kind.BURST ? BURST_CHILDREN : TIMES);
    if (kind == Kind.EMPTY) {
      return Stream.of(ContainerKind.LEAN, ContainerKind.NONE)
          .map(container -> Point.ofContainer(container, loops, seconds))
          .toList();
    }
    if (kind == Kind.NIL_RPC) {
      return List.of(Point.ofRequests(loops, seconds));
    }
    if (ofFunctions()) {
      return config
          .functions(PythonFunction.known().stream().filter(Target::published).toList())
          .stream()
          .map(function -> Point.ofFunction(function, childWorks(), loops, seconds, times))
          .toList();
    }
    List<Integer> ratios =
        ofTouchRatios()
            ? config.touchRatios(IntStream.rangeClosed(0, 10).mapToObj(i -> 10 * i).toList())
            : ALL_PAGES;
    return config.memorySizes(ofTouchRatios() ? TOUCHED : MemorySize.ARTIFACT_SIZES).stream()
        .flatMap(
            size ->
                ratios.stream()
                    .map(
                        ratio ->
                            Point.ofMemory(
                                size, ratio, ofTouchRatios(), childWorks(), loops, seconds, times)))
        .toList();
  }

  private static boolean published(PythonFunction function) {
    return !function.requirements().optional();
  }

  /** All names, for a message. */
  static String names() {
    return Stream.of(values()).map(Target::toString).reduce((a, b) -> a + ", " + b).orElseThrow();
  }

  /** As the makefile has it: lower case, with dashes. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
