// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.setting.FileFailure;

/**
 * The folder of one run: JMH's JSON, the histograms, the environment, the table. No two runs share
 * one.
 *
 * <p>Every {@link IOException} from here has a message for the user that names the next step.
 */
public final class ResultFolder {
  /** System property: the folder of a run, instead of a new folder below results/. */
  public static final String PROPERTY = HistogramLog.RESULTS_PROPERTY;

  /**
   * System property that names the run in its folder's name; by default, its regular expressions.
   */
  public static final String NAME_PROPERTY = "mitosis.name";

  /** The folder in a run's folder where its report goes by default. */
  public static final String REPORT = "report";

  /** The file with the outcome of a run on several machines. */
  public static final String CLUSTER = "cluster.json";

  /** The folder with the environment of each machine of a run on several. */
  public static final String MACHINES = "machines";

  /** The folder of the results of a sweep's blocks. */
  public static final String BLOCKS = "blocks";

  /** The file in the folder of a duel, which holds the folders of two runs. */
  public static final String DUEL = "duel.json";

  /** The file with what was printed during the run. */
  public static final String LOG = "log.txt";

  static final String JMH_JSON = "jmh.json";
  static final String HISTOGRAMS = "hlog";
  static final String ENVIRONMENT = "environment.json";

  /** The files and folders with a run's raw data, as far as it has them. */
  public static final List<String> FILES =
      List.of(ENVIRONMENT, JMH_JSON, HISTOGRAMS, "table.txt", LOG, "sweep.json", CLUSTER, MACHINES);

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final int NAME_LENGTH_MAX = 40;
  private static final int PROBE_BYTES = 64 * 1024;

  private final Path path;
  private final List<Path> made; // null if it was there before

  private ResultFolder(Path path, List<Path> made) {
    this.path = path;
    this.made = made;
  }

  /**
   * Creates {@code <date>-<host>-<name>} below a folder and checks that it can be written to.
   *
   * @param results the folder of all runs; made if missing
   * @param started when the run started
   * @param host the machine's name
   * @param name of the run
   */
  public static ResultFolder create(Path results, Instant started, String host, String name)
      throws IOException {
    String wanted = DATE.format(started) + "-" + plain(host, "host") + "-" + plain(name, "all");
    try {
      List<Path> made = Files.exists(results) ? List.of() : List.of(results);
      Files.createDirectories(results);
      Path path = results.resolve(wanted);
      for (int again = 2; ; again++) {
        try {
          Files.createDirectory(path);
          return new ResultFolder(path, Stream.concat(Stream.of(path), made.stream()).toList())
              .prepared();
        } catch (FileAlreadyExistsException e) {
          path = results.resolve(wanted + "-" + again);
        }
      }
    } catch (FileSystemException e) {
      throw unwritable(results, e);
    }
  }

  /**
   * Uses exactly the given folder, which must be empty or missing, and checks that it can be
   * written to.
   */
  public static ResultFolder createExactly(Path path) throws IOException {
    try {
      boolean missing = Files.notExists(path);
      Files.createDirectories(path);
      try (Stream<Path> entries = Files.list(path)) {
        if (entries.findAny().isPresent()) {
          throw new IOException(
              "the results directory "
                  + path
                  + " is not empty: results are never overwritten;"
                  + " name a new directory with -D"
                  + PROPERTY
                  + "=DIR");
        }
      }
      return new ResultFolder(path, missing ? List.of(path) : List.of()).prepared();
    } catch (FileSystemException e) {
      throw unwritable(path, e);
    }
  }

  /** The folder of a run that continues. */
  public static ResultFolder existing(Path path) {
    return new ResultFolder(path, null);
  }

  private ResultFolder prepared() throws IOException {
    try {
      Path probe = path.resolve(".probe");
      Files.write(probe, new byte[PROBE_BYTES]);
      Files.delete(probe);
      Files.createDirectory(histograms());
      return this;
    } catch (IOException e) {
      discard();
      throw unwritable(path, e);
    }
  }

  /** The folder itself. */
  public Path path() {
    return path;
  }

  /** The file for JMH's JSON. */
  public Path jmhJson() {
    return path.resolve(JMH_JSON);
  }

  /** The folder of the .hlog files. */
  public Path histograms() {
    return path.resolve(HISTOGRAMS);
  }

  /** The file for the description of machine and run. */
  public Path environment() {
    return path.resolve(ENVIRONMENT);
  }

  /** The file for the table that is printed at the end. */
  public Path table() {
    return path.resolve("table.txt");
  }

  /** The file for what is printed during the run. */
  public Path log() {
    return path.resolve(LOG);
  }

  /**
   * Writes a file so that a reader sees the old content or the new, never a part.
   *
   * @param file a file of this folder
   */
  public void replace(Path file, String content) throws IOException {
    Path unfinished = file.resolveSibling("." + file.getFileName() + ".new");
    try {
      Files.write(unfinished, content.getBytes(StandardCharsets.UTF_8));
      Files.move(
          unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      deleteQuietly(unfinished);
      throw new IOException(
          file
              + " could not be written: "
              + FileFailure.reason(e)
              + "; what was printed is all there is of it",
          e);
    }
  }

  /** Removes what {@code create} made, for a run that does not start; keeps all other files. */
  public void discard() {
    if (made == null) {
      return; // it has results of an earlier run
    }
    deleteQuietly(path.resolve(".probe"));
    deleteQuietly(environment());
    deleteQuietly(log());
    deleteQuietly(histograms());
    made.forEach(ResultFolder::deleteQuietly);
  }

  static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // Not empty, or on a file system that has failed already: the first failure is reported.
    }
  }

  /** Letters, digits, dot, underscore and dash only, so that the name needs no quoting anywhere. */
  static String plain(String name, String ifNothingIsLeft) {
    String plain =
        name.chars()
            .mapToObj(c -> isPlain(c) ? String.valueOf((char) c) : "-")
            .collect(Collectors.joining())
            .replaceAll("-{2,}", "-")
            .replaceAll("^[-.]+", "");
    plain = plain.substring(0, Math.min(plain.length(), NAME_LENGTH_MAX)).replaceAll("[-.]+$", "");
    return plain.isEmpty() ? ifNothingIsLeft : plain;
  }

  /** The name of a run that selects benchmarks by these regular expressions. */
  public static String nameOf(List<String> regexes) {
    return String.join("+", regexes);
  }

  private static boolean isPlain(int c) {
    return c < 128 && (Character.isLetterOrDigit(c) || c == '.' || c == '_' || c == '-');
  }

  private static IOException unwritable(Path path, IOException cause) {
    return new IOException(
        "the results directory "
            + path
            + " cannot be made or written to: "
            + FileFailure.reason(cause)
            + "; name another with -D"
            + PROPERTY
            + "=DIR",
        cause);
  }
}
