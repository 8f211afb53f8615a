// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeSet;
import org.mitosis.stats.Summary;

/**
 * Published figures of one section of the MITOSIS artifact's documentation, to be shown beside our
 * own; {@code results/reference/README.md} says what each column means.
 */
public final class ReferenceFigures {
  /** {@code fork_prepare} of the C++ parent, by working set in bytes; host val01. */
  public static final String FORK_PREPARE_WORKING_SET = "fork-prepare-working-set";

  /** {@code fork_prepare} of the Python functions, by name; host val01. */
  public static final String FORK_PREPARE_FUNCTION = "fork-prepare-function";

  /** {@code fork_resume} of the C++ parent, by working set in bytes; host val02. */
  public static final String FORK_RESUME_WORKING_SET = "fork-resume-working-set";

  /** {@code fork_resume} of the Python functions, by name; host val02. */
  public static final String FORK_RESUME_FUNCTION = "fork-resume-function";

  /** Execution time of the Python functions, by name; host val01. */
  public static final String EXECUTION_FUNCTION = "execution-function";

  /** Peak throughput of one Python function. */
  public static final String PEAK_FUNCTION = "peak-function";

  /** Execution time of the C++ parent, by working set in bytes; host val01. */
  public static final String EXECUTION_WORKING_SET = "execution-working-set";

  /** The section with the published figures of a benchmark. */
  private static final Map<String, String> BY_BENCHMARK =
      Map.of(
          "ForkPrepare.workingSet", FORK_PREPARE_WORKING_SET,
          "ForkPrepare.function", FORK_PREPARE_FUNCTION,
          "ForkResume.workingSet", FORK_RESUME_WORKING_SET,
          "ForkResume.function", FORK_RESUME_FUNCTION,
          "Execution.workingSet", EXECUTION_WORKING_SET,
          "Execution.function", EXECUTION_FUNCTION,
          "PeakThroughput.function", PEAK_FUNCTION);

  /** The section with the published figures of a target of cluster. */
  private static final Map<String, String> BY_TARGET =
      Map.of(
          "cluster.micro-c-prepare", FORK_PREPARE_WORKING_SET,
          "cluster.micro-function-prepare", FORK_PREPARE_FUNCTION,
          "cluster.micro-c-startup", FORK_RESUME_WORKING_SET,
          "cluster.micro-function-startup", FORK_RESUME_FUNCTION,
          "cluster.micro-c-execution", EXECUTION_WORKING_SET,
          "cluster.micro-function-execution", EXECUTION_FUNCTION,
          "cluster.peak-func-lean-container", PEAK_FUNCTION);

  private static final String STARTUP =
      "published startup: from the request to the exit of the child, through two forks and the exec"
          + " of a program that resumes; the mean of a second. Ours: the same ends, one fork and no"
          + " exec; the median";

  private static final String HEADER = "trace,host,value,unit,figure,line";

  private record Key(String trace, String figure, String unit) {}

  private final Map<Key, List<Double>> values = new LinkedHashMap<>();
  private final SortedSet<String> hosts = new TreeSet<>();

  private ReferenceFigures() {}

  /**
   * The figures of one section, from the class path.
   *
   * @param section name of a file of {@code results/reference} without its ending
   * @throws IllegalArgumentException if there is no such section
   */
  public static ReferenceFigures of(String section) {
    try (InputStream stream =
        ReferenceFigures.class.getResourceAsStream("reference/" + section + ".csv")) {
      if (stream == null) {
        throw new IllegalArgumentException("no reference figures named '" + section + "'");
      }
      return read(new InputStreamReader(stream, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("reference figures '" + section + "'", e);
    }
  }

  /**
   * The published figures of a benchmark.
   *
   * @param benchmark class and method, without the package
   * @param figure such as {@code prepare}
   * @return empty if there are none
   */
  public static Optional<ReferenceFigures> ofBenchmark(String benchmark, String figure) {
    return Optional.ofNullable(BY_BENCHMARK.getOrDefault(benchmark, BY_TARGET.get(benchmark)))
        .map(ReferenceFigures::of)
        .filter(figures -> figures.has(figure));
  }

  /**
   * Reads figures in the format of {@code results/reference}.
   *
   * @throws IllegalArgumentException naming the line that is not of this format
   */
  static ReferenceFigures read(Reader reader) throws IOException {
    ReferenceFigures figures = new ReferenceFigures();
    BufferedReader lines = new BufferedReader(reader);
    boolean headerSeen = false;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("#")) {
        continue;
      }
      if (!headerSeen) {
        if (!line.equals(HEADER)) {
          throw new IllegalArgumentException("expected '" + HEADER + "', found '" + line + "'");
        }
        headerSeen = true;
        continue;
      }
      String[] columns = line.split(",", -1);
      if (columns.length != 6) {
        throw new IllegalArgumentException("expected 6 columns, found '" + line + "'");
      }
      figures.hosts.add(columns[1]);
      figures
          .values
          .computeIfAbsent(new Key(columns[0], columns[4], columns[3]), key -> new ArrayList<>())
          .add(Double.valueOf(columns[2]));
    }
    return figures;
  }

  /**
   * In what the definition of a published figure differs from ours.
   *
   * @param figure such as {@code startup}
   * @return one line; empty if both are measured in the same way
   */
  public static Optional<String> difference(String figure) {
    return figure.equals("startup") ? Optional.of(STARTUP) : Optional.empty();
  }

  /** The machines that printed the lines, with slashes between them. */
  public String hosts() {
    return String.join("/", hosts);
  }

  /** Whether anything was published of a figure, in milliseconds. */
  public boolean has(String figure) {
    return values.keySet().stream()
        .anyMatch(key -> key.figure().equals(figure) && key.unit().equals("ms"));
  }

  /** The traces that something was published of, in the order of the documentation. */
  public List<String> traces() {
    return values.keySet().stream().map(Key::trace).distinct().toList();
  }

  /**
   * The median of the published lines, in milliseconds.
   *
   * @param trace the working set in bytes, or the name of the function
   * @param figure the figure's name, such as {@code prepare}
   * @return empty if there are none published
   */
  public OptionalDouble medianMs(String trace, String figure) {
    List<Double> published = values.get(new Key(trace, figure, "ms"));
    if (published == null) {
      return OptionalDouble.empty();
    }
    double[] all = published.stream().mapToDouble(Double::doubleValue).toArray();
    return OptionalDouble.of(Summary.of(all).median());
  }
}
