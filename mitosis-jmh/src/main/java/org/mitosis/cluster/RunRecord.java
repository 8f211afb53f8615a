// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.Environment.Outcome;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.ResultFolder;

/**
 * The files of a run on a cluster: cluster.json describes the run and its outcome, log.txt has
 * every line, hlog/ every sample, machines/ the environment of each machine, table.txt the tables.
 * They are written during the run, so that a killed run keeps what it has measured.
 */
final class RunRecord implements AutoCloseable {
  /** The version of the format of cluster.json. */
  static final int SCHEMA = 1;

  /** Prefix of a target's name in the histograms. */
  static final String BENCHMARK = "org.mitosis.cluster.";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * The content of cluster.json.
   *
   * @param schema {@value #SCHEMA}
   * @param target what was run
   * @param outcome whether it runs, or how it ended
   * @param started ISO 8601 in UTC
   * @param ended ISO 8601 in UTC; null while it runs
   * @param mitosis the build of this program
   * @param commandLine the arguments as given
   * @param config the keys that had values
   * @param parent the parent machine
   * @param machines all machines, by name
   * @param points what was measured, in order
   * @param leftOut what was not run, and why
   * @param failures what went wrong, one message each
   */
  private record Content(
      int schema,
      String target,
      Outcome outcome,
      String started,
      String ended,
      BuildInfo mitosis,
      List<String> commandLine,
      Map<String, String> config,
      String parent,
      Map<String, MachineContent> machines,
      List<PointContent> points,
      List<String> leftOut,
      List<String> failures) {}

  /**
   * A machine.
   *
   * @param facts its state before the run
   * @param clock its clocks compared with the coordinator's
   * @param source the machine that it gets the parent's pages from; null for those without children
   */
  private record MachineContent(Task.Facts facts, Clocks clock, String source) {}

  /**
   * A point.
   *
   * @param trace its name
   * @param complete whether no machine failed
   * @param startSkewNs from the first start of a loop to the last; null for fewer than two loops
   * @param samples by machine
   * @param chosenModes what RESUME_MODE=auto was, by machine
   * @param peak operations per second; null if the target measures none
   */
  private record PointContent(
      String trace,
      boolean complete,
      Long startSkewNs,
      Map<String, Long> samples,
      Map<String, String> chosenModes,
      Measurement.Peak peak) {}

  private final Target target;
  private final List<String> commandLine;
  private final ClusterConfig config;
  private final Roles roles;
  private final ResultFolder folder;
  private final Instant started;
  private final Writer log;
  private final Map<String, MachineContent> machines = new LinkedHashMap<>();
  private final List<PointContent> points = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();

  /** Creates the files. */
  RunRecord(
      Target target,
      List<String> commandLine,
      ClusterConfig config,
      Roles roles,
      ResultFolder folder,
      Instant started)
      throws IOException {
    this.target = target;
    this.commandLine = List.copyOf(commandLine);
    this.config = config;
    this.roles = roles;
    this.folder = folder;
    this.started = started;
    this.log =
        Files.newBufferedWriter(
            folder.log(),
            StandardCharsets.UTF_8,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
    Files.createDirectory(folder.path().resolve(ResultFolder.MACHINES));
    write(Outcome.RUNNING);
  }

  ResultFolder folder() {
    return folder;
  }

  synchronized void machines(ClusterCheck check) throws IOException {
    check
        .facts()
        .forEach(
            (host, facts) ->
                machines.put(
                    host,
                    new MachineContent(
                        facts,
                        check.clocks().get(host),
                        roles.source(host, config.fanOut()).orElse(null))));
    write(Outcome.RUNNING);
  }

  synchronized void leftOut(List<String> messages) {
    leftOut.addAll(messages);
  }

  synchronized void failed(List<String> messages) {
    failures.addAll(messages);
  }

  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  /** Adds a line of a machine. */
  synchronized void log(String host, String line) {
    try {
      log.write(Instant.now() + " " + host + " " + line + "\n");
      log.flush();
    } catch (IOException e) {
      // The disk may be full: writing the table fails as well, and that is reported.
    }
  }

  /** Writes the environment of a machine. */
  void environment(String host, JsonNode environment) throws IOException {
    try {
      Files.writeString(
          folder.path().resolve(ResultFolder.MACHINES).resolve(host + ".json"),
          JSON.writeValueAsString(environment) + "\n");
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes what was measured at a point. */
  synchronized void point(Measurement measurement, boolean complete) throws IOException {
    Point point = measurement.point();
    Map<String, Long> samples = new TreeMap<>();
    for (Map.Entry<String, Map<String, Histogram>> of : measurement.histograms().entrySet()) {
      samples.put(of.getKey(), measurement.samplesOf(of.getKey()));
      Map<String, String> parameters = new TreeMap<>(point.parameters());
      parameters.put("machine", of.getKey());
      String mode = measurement.chosenModes().get(of.getKey());
      if (mode != null) {
        parameters.put(ResumeMode.PROPERTY, mode);
      }
      HistogramLog.create(folder.histograms(), BENCHMARK + target, parameters, measurement.from())
          .append(of.getValue(), measurement.from(), Instant.now());
    }
    points.add(
        new PointContent(
            point.trace(),
            complete,
            measurement.startSkewNs().orElse(null),
            samples,
            measurement.chosenModes(),
            target.isPeak() ? measurement.peak().orElse(null) : null));
    write(Outcome.RUNNING);
  }

  /** Writes the tables. */
  synchronized void table(String text) throws IOException {
    folder.replace(folder.table(), text);
  }

  /** Writes the outcome. */
  synchronized void end(Outcome outcome) throws IOException {
    write(outcome);
  }

  private void write(Outcome outcome) throws IOException {
    Content content =
        new Content(
            SCHEMA,
            target.toString(),
            outcome,
            started.toString(),
            outcome == Outcome.RUNNING ? null : Instant.now().toString(),
            BuildInfo.current(),
            commandLine,
            config.asMap(),
            roles.parent(),
            machines,
            points,
            leftOut,
            failures);
    folder.replace(
        folder.path().resolve(ResultFolder.CLUSTER), JSON.writeValueAsString(content) + "\n");
  }

  @Override
  public void close() throws IOException {
    log.close();
  }
}
