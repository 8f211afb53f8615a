// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DataFormatException;

/** One log as it is read: its tags, then the intervals of each metric. */
final class HistogramLogFile {
  private static final String TAG = "Tag=";
  private static final int FIELDS = 5;
  private static final double MS_PER_S = 1e3;

  private final Path file;
  private final HistogramDecoder decoder;
  private final List<String> warnings;
  private String benchmark;
  private final Map<String, String> params = new TreeMap<>();
  private int fork = 1;
  private final Map<String, List<HistogramLog.Slice>> byMetric = new TreeMap<>();
  private int iteration;
  private double startSeconds;
  private int format = 1;
  private int forksAsked;
  private int iterationsAsked;
  private boolean aborted;
  private String container = "";

  HistogramLogFile(Path file, HistogramDecoder decoder, List<String> warnings) {
    this.file = file;
    this.decoder = decoder;
    this.warnings = warnings;
    benchmark =
        file.getFileName().toString().replaceFirst(",.*|\\" + HistogramLog.SUFFIX + "$", "");
  }

  void read(List<HistogramLog.Series> series) throws IOException {
    // Not Files.readString, which throws on bytes that are not UTF-8.
    String text = new String(RunFiles.bytes(file), StandardCharsets.UTF_8);
    int number = 0;
    for (int from = 0; from < text.length(); ) {
      number++;
      int end = text.indexOf('\n', from);
      if (end < 0) {
        warn(number, "is cut off; its samples are left out");
        break;
      }
      line(number, text.substring(from, end));
      from = end + 1;
    }
    if (format > HistogramLog.FORMAT) {
      warnings.add(
          file.getFileName()
              + " is of a newer version of this program (format "
              + format
              + ", this one knows "
              + HistogramLog.FORMAT
              + "): what has the same name is shown");
    }
    byMetric.forEach((metric, slices) -> series.add(seriesOf(metric, slices)));
  }

  private HistogramLog.Series seriesOf(String metric, List<HistogramLog.Slice> slices) {
    return new HistogramLog.Series(
        benchmark, Map.copyOf(params), fork, metric, List.copyOf(slices), log());
  }

  private HistogramLog.ForkLog log() {
    return new HistogramLog.ForkLog(
        file.getFileName().toString(),
        Math.round(startSeconds * MS_PER_S),
        new HistogramLog.Asked(forksAsked, iterationsAsked),
        iteration,
        aborted,
        container);
  }

  private void line(int number, String line) {
    if (line.startsWith("#")) {
      noteComment(line);
    } else if (!line.isBlank() && !line.startsWith("\"")) {
      try {
        noteInterval(line);
      } catch (DataFormatException | RuntimeException e) {
        warn(number, "cannot be read; its samples are left out");
      }
    }
  }

  /** {@code Tag=prepare,0.123,0.100,1.234,HISTFAAA…}: begin and length in s, largest in ms. */
  private void noteInterval(String line) throws DataFormatException {
    String[] fields = line.strip().split(",");
    if (fields.length != FIELDS || !fields[0].startsWith(TAG)) {
      throw new IllegalArgumentException(line);
    }
    double startsAt = startSeconds + Double.parseDouble(fields[1]);
    byMetric
        .computeIfAbsent(fields[0].substring(TAG.length()), tag -> new ArrayList<>())
        .add(
            new HistogramLog.Slice(
                Math.max(1, iteration),
                Math.round(startsAt * MS_PER_S),
                Math.round((startsAt + Double.parseDouble(fields[2])) * MS_PER_S),
                decoder.decode(fields[4])));
  }

  private void noteComment(String line) {
    if (line.startsWith(HistogramLog.START_TIME)) {
      noteStart(line.substring(HistogramLog.START_TIME.length()));
    }
    int equals = line.indexOf(" = ");
    if (!line.startsWith("#[") || !line.endsWith("]") || equals < 0) {
      return;
    }
    String key = line.substring("#[".length(), equals);
    String value = line.substring(equals + " = ".length(), line.length() - 1);
    if (key.equals(HistogramLog.BENCHMARK)) {
      benchmark = value;
    } else if (key.startsWith(HistogramLog.PARAM)) {
      params.put(key.substring(HistogramLog.PARAM.length()), value);
    } else if (key.equals(HistogramLog.ABORTED)) {
      aborted = true;
    } else if (key.equals(HistogramLog.CONTAINER)) {
      container = value;
    } else if (value.matches("[0-9]{1,9}")) {
      noteNumber(key, Integer.parseInt(value));
    }
  }

  private void noteNumber(String key, int value) {
    switch (key) {
      case HistogramLog.FORK -> fork = value;
      case HistogramLog.ITERATION -> iteration = value;
      case HistogramLog.FORMAT_TAG -> format = value;
      case HistogramLog.FORKS -> forksAsked = value;
      case HistogramLog.ITERATIONS -> iterationsAsked = value;
      default -> {} // a tag of another program
    }
  }

  /** {@code 1767323045.000 (seconds since epoch), …]}; a damaged one leaves times from 0. */
  private void noteStart(String time) {
    String seconds = time.substring(0, Math.max(0, time.indexOf(' ')));
    if (seconds.matches("[0-9]{1,12}[.][0-9]{1,3}")) {
      startSeconds = Double.parseDouble(seconds);
    }
  }

  private void warn(int number, String problem) {
    warnings.add(file.getFileName() + ": line " + number + " " + problem);
  }
}
