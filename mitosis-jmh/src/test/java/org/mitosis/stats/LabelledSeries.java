// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * A series of times whose steady part somebody else has found.
 *
 * @param benchmark its name
 * @param steadyStart the first iteration of its steady part; -1 if it has none
 * @param values times, in any unit
 */
record LabelledSeries(String benchmark, int steadyStart, double[] values) {
  /** System property: the folder with the series. */
  static final String PROPERTY = "mitosis.steady.series";

  /**
   * All series of the files {@code *.csv} and {@code *.csv.gz} of the folder that {@value
   * #PROPERTY} names: below a line of names, one series a line, {@code
   * "benchmark",fork,label,steadyStart,values} with spaces between the values.
   */
  static List<LabelledSeries> all() throws IOException {
    String folder = System.getProperty(PROPERTY, "");
    assumeTrue(
        !folder.isEmpty(),
        "SKIP labelled series: no folder is given with -D" + PROPERTY + "=FOLDER");
    List<LabelledSeries> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      for (Path file : files.sorted().toList()) {
        if (file.toString().matches(".*[.]csv([.]gz)?")) {
          all.addAll(read(file));
        }
      }
    }
    if (all.isEmpty()) {
      throw new IOException(folder + " has no *.csv or *.csv.gz with series");
    }
    return all;
  }

  private static List<LabelledSeries> read(Path file) throws IOException {
    try (InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return lines.lines().skip(1).map(LabelledSeries::parsed).toList();
    }
  }

  private static LabelledSeries parsed(String line) {
    int end = line.lastIndexOf('"');
    String[] fields = line.substring(end + 2).split(",");
    return new LabelledSeries(
        line.substring(1, end),
        Integer.parseInt(fields[2]),
        Arrays.stream(fields[3].trim().split(" ")).mapToDouble(Double::parseDouble).toArray());
  }

  /** Up to eight windows of a length, evenly spread over the steady part; none if it is shorter. */
  List<double[]> steadyWindows(int length) {
    int room = values.length - length - steadyStart;
    List<double[]> windows = new ArrayList<>();
    if (steadyStart >= 0 && room >= 0) {
      int count = Math.min(8, room / length + 1);
      for (int i = 0; i < count; i++) {
        int from = steadyStart + (count == 1 ? 0 : (int) ((long) room * i / (count - 1)));
        windows.add(Arrays.copyOfRange(values, from, from + length));
      }
    }
    return windows;
  }
}
