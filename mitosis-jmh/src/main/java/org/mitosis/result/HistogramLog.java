// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.mitosis.stats.ValueCounts;

/**
 * All samples of one benchmark, its parameters and one fork, as a file in HdrHistogram's log
 * format.
 *
 * <p>Values are ns, precise to three decimal digits; the tag of a line is the metric; up to {@value
 * SelfTimed#MOST_SLICES} lines, one after the other in time, for each metric and measured
 * iteration, written when the iteration ends, so that a run that is killed keeps what it has
 * measured. Comments say which benchmark it was, and where an iteration begins:
 *
 * <pre>
 * #[Histogram log format version 1.3]
 * #[benchmark = org.mitosis.benchmark.ForkPrepare.workingSet]
 * #[param memorySize = 1048576]
 * #[fork = 1]
 * #[format = 2]
 * #[forks = 3]
 * #[iterations = 5]
 * #[container = lean: namespaces uts,ipc,mnt,pid, control groups v2]
 * …
 * #[iteration = 1]
 * </pre>
 *
 * <p>The last line of a fork that JMH did not keep is {@code #[aborted = true]}. Such a fork, and
 * one with fewer iterations than its header asks for, is in no estimate.
 *
 * <p>A file takes some hundred bytes for each line, whatever the number of samples.
 */
public final class HistogramLog {
  /** System property: the directory of the logs. */
  public static final String DIRECTORY_PROPERTY = "mitosis.results.hlog";

  /** System property: the directory of a run's results; the logs are in its folder {@code hlog}. */
  public static final String RESULTS_PROPERTY = "mitosis.results";

  /** Suffix of the files. */
  public static final String SUFFIX = ".hlog";

  /** The version of the tags that this class writes; files without it are of version 1. */
  public static final int FORMAT = 2;

  private static final double NS_PER_MS = 1e6;

  /** Leaves room for the fork and the suffix in the 255 bytes of a file name. */
  private static final int LONGEST_NAME = 200;

  static final String BENCHMARK = "benchmark";
  static final String FORK = "fork";
  static final String ITERATION = "iteration";
  static final String FORMAT_TAG = "format";
  static final String FORKS = "forks";
  static final String ITERATIONS = "iterations";
  static final String ABORTED = "aborted";
  static final String CONTAINER = "container";
  static final String PARAM = "param ";
  static final String START_TIME = "#[StartTime: ";

  private final Path file;
  private final Instant start;
  private int iterations;

  private HistogramLog(Path file, Instant start) {
    this.file = file;
    this.start = start;
  }

  /** The directory of the logs; empty if none are kept. */
  public static Optional<Path> directory() {
    String hlog = System.getProperty(DIRECTORY_PROPERTY, "");
    if (!hlog.isEmpty()) {
      return Optional.of(Path.of(hlog));
    }
    String results = System.getProperty(RESULTS_PROPERTY, "");
    return results.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(results, ResultFolder.HISTOGRAMS));
  }

  /**
   * What a run asks of one benchmark.
   *
   * @param forks number of forks; 0 if it is not known
   * @param iterations number of measured iterations of each; 0 if it is not known
   */
  public record Asked(int forks, int iterations) {
    /** Of a log that does not say it. */
    public static final Asked UNKNOWN = new Asked(0, 0);
  }

  /** Creates the file of a fork of which nothing is known about the others. */
  public static HistogramLog create(
      Path directory, String benchmark, Map<String, String> params, Instant start) {
    return create(directory, benchmark, params, Asked.UNKNOWN, start);
  }

  /**
   * Creates the file of a fork. Its number is the first one that has no file yet.
   *
   * @param directory created if missing
   * @param benchmark name of the benchmark with its package
   * @param params values of its parameters by their names
   * @param asked what the run asks for
   * @throws UncheckedIOException with a message for the user if that fails
   */
  public static HistogramLog create(
      Path directory, String benchmark, Map<String, String> params, Asked asked, Instant start) {
    return create(directory, benchmark, params, asked, start, "");
  }

  /**
   * Creates the file of a fork that has started children.
   *
   * @param container what they were in; empty if that is not known
   */
  static HistogramLog create(
      Path directory,
      String benchmark,
      Map<String, String> params,
      Asked asked,
      Instant start,
      String container) {
    try {
      Files.createDirectories(directory);
      String name = nameOf(benchmark, params);
      for (int fork = 1; ; fork++) {
        Path file = directory.resolve(name + ",fork=" + fork + SUFFIX);
        try {
          Files.write(
              file,
              header(benchmark, params, fork, asked, start, container),
              StandardOpenOption.CREATE_NEW);
          return new HistogramLog(file, start);
        } catch (FileAlreadyExistsException e) {
          // Another fork has this number: try the next.
        }
      }
    } catch (IOException e) {
      throw cannotWrite(directory, e);
    }
  }

  /**
   * Marks the file of a fork that JMH did not keep. A second mark does no harm.
   *
   * @throws IOException if the file cannot be written
   */
  public static void markAborted(Path file) throws IOException {
    Files.writeString(file, "#" + comment(ABORTED, "true") + "\n", StandardOpenOption.APPEND);
  }

  /**
   * Copies the file of a fork to a directory where it is one of several forks. Its number there is
   * the first one that has no file yet.
   *
   * @param file of a run of one fork
   * @param forks number of forks that the run of the copy asks for
   * @throws IOException if a file cannot be read or written
   */
  static void copyFork(Path file, Path directory, int forks) throws IOException {
    String name =
        file.getFileName().toString().replaceFirst("(,fork=[0-9]+)?\\" + SUFFIX + "$", "");
    // Bytes as characters: a damaged file stays as it is.
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    String counted = withNumber(text, FORKS, forks);
    for (int fork = 1; ; fork++) {
      Path copy = directory.resolve(name + ",fork=" + fork + SUFFIX);
      try {
        Files.writeString(
            copy,
            withNumber(counted, FORK, fork),
            StandardCharsets.ISO_8859_1,
            StandardOpenOption.CREATE_NEW);
        return;
      } catch (FileAlreadyExistsException e) {
        // Another fork has this number: try the next.
      }
    }
  }

  private static String withNumber(String text, String key, int number) {
    return text.replaceFirst(
        "(?m)^#\\[" + key + " = [0-9]+\\]$", "#" + comment(key, Integer.toString(number)));
  }

  /** The path of the file. */
  Path file() {
    return file;
  }

  /**
   * Adds the samples of one iteration, in one write.
   *
   * @throws UncheckedIOException with a message for the user if that fails
   */
  void append(List<SelfTimed.Samples> iteration, Instant from, Instant to) {
    write(
        writer -> {
          for (SelfTimed.Samples samples : iteration) {
            int count = samples.slices().size();
            // Samples that end before the iteration does have their own begin and end.
            boolean apart = samples.lastNs().isPresent();
            Instant last = apart ? when(samples.lastNs().getAsLong(), samples, from, to) : to;
            Instant sliceFrom = apart ? begin(samples, 0, from, to) : from;
            for (int i = 0; i < count; i++) {
              Instant sliceTo = i + 1 == count ? last : begin(samples, i + 1, from, to);
              Histogram histogram = samples.slices().get(i).histogram();
              write(writer, samples.metric(), histogram, sliceFrom, sliceTo);
              sliceFrom = sliceTo;
            }
          }
        });
  }

  /** Counts a measured iteration that took no sample. */
  void skip() {
    append(List.of(), start, start);
  }

  /**
   * Adds samples of another machine, as one iteration, in one write.
   *
   * @param byMetric histograms in ns by the figure's name
   * @param from when the first was taken
   * @param to when the last was taken
   * @throws UncheckedIOException with a message for the user if that fails
   */
  public void append(Map<String, Histogram> byMetric, Instant from, Instant to) {
    write(
        writer ->
            byMetric.forEach((metric, histogram) -> write(writer, metric, histogram, from, to)));
  }

  private void write(
      HistogramLogWriter writer, String metric, Histogram histogram, Instant from, Instant to) {
    histogram.setTag(metric);
    writer.outputIntervalHistogram(
        seconds(Duration.between(start, from)),
        seconds(Duration.between(start, to)),
        histogram,
        NS_PER_MS);
  }

  private void write(Consumer<HistogramLogWriter> iteration) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    HistogramLogWriter writer = new HistogramLogWriter(bytes);
    writer.outputComment(comment(ITERATION, Integer.toString(++iterations)));
    iteration.accept(writer);
    writer.close();
    try {
      Files.write(file, bytes.toByteArray(), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private static Instant begin(SelfTimed.Samples samples, int slice, Instant from, Instant to) {
    return when(samples.slices().get(slice).fromNs(), samples, from, to);
  }

  /** Converts a time by {@link System#nanoTime} to the time of day of its iteration. */
  private static Instant when(long ns, SelfTimed.Samples samples, Instant from, Instant to) {
    Instant when = to.minusNanos(samples.takenNs() - ns);
    if (when.isAfter(to)) {
      return to;
    }
    return when.isBefore(from) ? from : when;
  }

  /**
   * The samples of one interval of time.
   *
   * @param iteration the number of the measured iteration that it is a part of, from 1
   * @param startMs when it began, in ms since 1970
   * @param endMs when it ended, in ms since 1970
   * @param samples in ns
   */
  public record Slice(int iteration, long startMs, long endMs, ValueCounts samples) {}

  /**
   * The samples of one metric.
   *
   * @param benchmark name of the benchmark with its package
   * @param params values of its parameters by their names
   * @param fork the number of the fork, from 1; 0 if the samples of all forks are put together
   * @param metric the figure's name
   * @param slices of all measured iterations, in the order of time; fork by fork if of all forks
   * @param log what the file says of the fork; of the first one if of all forks
   */
  public record Series(
      String benchmark,
      Map<String, String> params,
      int fork,
      String metric,
      List<Slice> slices,
      ForkLog log) {

    /** Samples that come from no log. */
    public Series(
        String benchmark, Map<String, String> params, int fork, String metric, List<Slice> slices) {
      this(benchmark, params, fork, metric, slices, ForkLog.NONE);
    }

    /** The samples of all measured iterations, in ns; computed at each call. */
    public ValueCounts samples() {
      return ValueCounts.joined(slices.stream().map(Slice::samples).toList());
    }
  }

  /**
   * What the file of a fork says of it.
   *
   * @param file its name
   * @param startMs when its first measured iteration began, in ms since 1970
   * @param asked what the run asked for
   * @param iterations the measured iterations that it has
   * @param aborted whether JMH did not keep the fork
   * @param container what its children were in; empty if that is not known
   */
  public record ForkLog(
      String file, long startMs, Asked asked, int iterations, boolean aborted, String container) {
    /** Of samples that come from no log. */
    public static final ForkLog NONE = new ForkLog("", 0, Asked.UNKNOWN, 0, false, "");

    /** Whether it ended before its last iteration did. */
    public boolean isUnfinished() {
      return iterations < asked.iterations();
    }
  }

  /**
   * The readable content.
   *
   * @param series by file name, and within a file by metric
   * @param warnings a message for each part that cannot be read
   */
  public record Contents(List<Series> series, List<String> warnings) {
    /** The series with the samples of all forks put together, in the order of their first forks. */
    public List<Series> overForks() {
      Map<List<Object>, List<Series>> together = new LinkedHashMap<>();
      for (Series one : series) {
        together
            .computeIfAbsent(
                List.of(one.benchmark(), one.params(), one.metric()), key -> new ArrayList<>())
            .add(one);
      }
      return together.values().stream().map(Contents::joined).toList();
    }

    private static Series joined(List<Series> forks) {
      Series first = forks.get(0);
      return new Series(
          first.benchmark(),
          first.params(),
          0,
          first.metric(),
          forks.stream().flatMap(fork -> fork.slices().stream()).toList(),
          first.log());
    }
  }

  /**
   * Reads a log, or all logs of a directory. Damaged parts are left out and named in the warnings:
   * the file of a run that was killed or met a full disk may end in the middle of a line.
   *
   * @throws IOException if the file or directory cannot be read at all
   */
  public static Contents read(Path fileOrDirectory) throws IOException {
    try {
      List<Contents> parts =
          filesOf(fileOrDirectory).parallelStream().map(HistogramLog::readFile).toList();
      return new Contents(
          parts.stream().flatMap(part -> part.series().stream()).toList(),
          parts.stream().flatMap(part -> part.warnings().stream()).toList());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static Contents readFile(Path file) {
    List<Series> series = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    try (HistogramDecoder decoder = new HistogramDecoder()) {
      new HistogramLogFile(file, decoder, warnings).read(series);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Contents(List.copyOf(series), List.copyOf(warnings));
  }

  private static List<Path> filesOf(Path fileOrDirectory) throws IOException {
    if (!Files.isDirectory(fileOrDirectory)) {
      return List.of(fileOrDirectory);
    }
    try (Stream<Path> entries = Files.list(fileOrDirectory)) {
      return entries.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
    }
  }

  private static byte[] header(
      String benchmark,
      Map<String, String> params,
      int fork,
      Asked asked,
      Instant start,
      String container) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    HistogramLogWriter writer = new HistogramLogWriter(bytes);
    writer.outputLogFormatVersion();
    writer.outputComment(comment(BENCHMARK, benchmark));
    params.forEach((name, value) -> writer.outputComment(comment(PARAM + name, value)));
    writer.outputComment(comment(FORK, Integer.toString(fork)));
    writer.outputComment(comment(FORMAT_TAG, Integer.toString(FORMAT)));
    if (asked.forks() > 0) {
      writer.outputComment(comment(FORKS, Integer.toString(asked.forks())));
    }
    if (asked.iterations() > 0) {
      writer.outputComment(comment(ITERATIONS, Integer.toString(asked.iterations())));
    }
    if (!container.isEmpty()) {
      writer.outputComment(comment(CONTAINER, container));
    }
    writer.outputComment("[values in ns, Interval_Max in ms]");
    writer.outputStartTime(start.toEpochMilli());
    writer.outputLegend();
    writer.close();
    return bytes.toByteArray();
  }

  /** One line, whatever the value holds; {@link LogFile#noteComment} reads it back. */
  private static String comment(String key, String value) {
    return "[" + key + " = " + value.replaceAll("\\R", " ") + "]";
  }

  private static String nameOf(String benchmark, Map<String, String> params) {
    int method = benchmark.lastIndexOf('.');
    int simpleClass = benchmark.lastIndexOf('.', method - 1) + 1;
    String name =
        benchmark.substring(simpleClass)
            + params.entrySet().stream()
                .map(param -> "," + safe(param.getKey()) + "=" + safe(param.getValue()))
                .collect(Collectors.joining());
    return name.substring(0, Math.min(name.length(), LONGEST_NAME));
  }

  private static String safe(String text) {
    return text.replaceAll("[^A-Za-z0-9._-]", "_");
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static UncheckedIOException cannotWrite(Path path, IOException cause) {
    return new UncheckedIOException(
        "the samples cannot be written to "
            + path
            + " ("
            + cause.getClass().getSimpleName()
            + ": "
            + cause.getMessage()
            + "); free some space or choose another directory with -D"
            + RESULTS_PROPERTY
            + "=DIR",
        cause);
  }
}
