// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipException;

/**
 * A run, read from its {@link ResultFolder}, from a .zip of that ({@link PackedRun}), or from a
 * result file of JMH alone. {@link #problems} has a message for each part that is damaged or
 * missing.
 *
 * @param name of the folder, packed or not
 * @param path of the folder, the .zip, or JMH's file
 * @param ended whether its files say that it has ended
 * @param environments of each machine by its name: the one that ran the command first
 * @param figures by benchmark, in the order of the files
 * @param failed the benchmarks without a result, as {@link Figure#title} names them
 * @param problems one message each
 */
public record Run(
    String name,
    Path path,
    boolean ended,
    Map<String, Environment> environments,
    List<Figure> figures,
    List<String> failed,
    List<String> problems) {

  private static final String NOT_ENDED =
      ": the run has not ended, or was killed; the results so far are shown";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL);

  /**
   * Reads a run.
   *
   * @param path the folder of a run, a .zip of one, or a JSON file of JMH
   * @throws IOException with a message for the user if it has no file of a run
   */
  public static Run read(Path path) throws IOException {
    if (Files.notExists(path)) {
      throw new IOException(
          path
              + " does not exist: name the folder of a run, such as"
              + " results/<date>-<host>-<name>, or a .zip of one");
    }
    if (Files.isRegularFile(path) && !RunFiles.isPacked(path)) {
      return ofJmhFile(path);
    }
    try (RunFiles files = RunFiles.open(path)) {
      return of(files);
    } catch (ZipException e) {
      throw RunFiles.damaged(path, e.getMessage(), e);
    }
  }

  private static Run ofJmhFile(Path path) throws IOException {
    List<String> problems = new ArrayList<>();
    List<Figure> figures = JmhJson.read(path.toString(), RunFiles.bytes(path), problems);
    if (figures.isEmpty()) {
      throw new IOException(problems.isEmpty() ? path + " holds no results" : problems.get(0));
    }
    Path name = path.toAbsolutePath().normalize().getFileName();
    return new Run(
        name.toString(), path, true, Map.of(), mainFigures(figures), List.of(), problems);
  }

  private static Run of(RunFiles files) throws IOException {
    Path path = files.path();
    List<String> problems = new ArrayList<>();
    Map<String, Environment> environments = environments(files, problems);
    List<Figure> scores = scores(files, problems);
    List<Figure> figures = new ArrayList<>(selfTimed(files, environments, scores, problems));
    Set<Figure.Key> known = new HashSet<>();
    figures.forEach(figure -> known.add(figure.key()));
    for (Figure figure : scores) {
      if (known.add(figure.key())) {
        figures.add(figure);
      }
    }
    if (Files.exists(files.resolve(ResultFolder.CLUSTER))) {
      return ofCluster(files, environments, figures, problems);
    }
    Environment own = environments.isEmpty() ? null : environments.values().iterator().next();
    if (figures.isEmpty() && own == null && Files.exists(files.resolve(ResultFolder.DUEL))) {
      throw new IOException(
          path
              + " is the folder of a duel, with two runs: name "
              + path.resolve("old")
              + " or "
              + path.resolve("new"));
    }
    if (figures.isEmpty() && own == null) {
      throw new IOException(
          path
              + " holds no results: there is no jmh.json, no hlog/*.hlog and no environment.json"
              + " in it; name the folder of a run, or a .zip of one"
              + (problems.isEmpty() ? "" : " (" + String.join("; ", problems) + ")"));
    }
    Environment.Outcome outcome = own == null ? null : own.outcome();
    if (outcome == Environment.Outcome.RUNNING) {
      problems.add(path + NOT_ENDED);
    } else if (outcome == Environment.Outcome.INTERRUPTED) {
      problems.add(path + ": the run was interrupted; the results so far are shown");
    }
    return new Run(
        files.name(),
        path,
        outcome != null && outcome != Environment.Outcome.RUNNING,
        environments,
        mainFigures(figures),
        own == null || own.failed() == null ? List.of() : own.failed(),
        List.copyOf(problems));
  }

  /** A run on several machines, whose outcome is in a file of its own. */
  private static Run ofCluster(
      RunFiles files,
      Map<String, Environment> environments,
      List<Figure> figures,
      List<String> problems)
      throws IOException {
    List<String> failed = new ArrayList<>();
    Path file = files.resolve(ResultFolder.CLUSTER);
    boolean ended = false;
    try {
      JsonNode cluster = JSON.readTree(RunFiles.bytes(file));
      String outcome = cluster.path("outcome").asText("");
      ended = List.of("complete", "failed").contains(outcome);
      if (!ended) {
        problems.add(files.path() + NOT_ENDED);
      }
      cluster.path("failures").forEach(failure -> failed.add(failure.asText()));
    } catch (JsonProcessingException e) {
      problems.add(files.nameOf(file) + " is damaged: the outcome of the run is unknown");
    }
    return new Run(
        files.name(),
        files.path(),
        ended,
        environments,
        mainFigures(figures),
        List.copyOf(failed),
        List.copyOf(problems));
  }

  /** The environment of the machine that ran the command, if it is known. */
  public Optional<Environment> environment() {
    return environments.values().stream().findFirst();
  }

  /** What became of the children of a figure's schedule; of none if it has no schedule. */
  public OfferedLoad load(Figure figure) {
    return new OfferedLoad(
        total(figure, Figure.OFFERED), total(figure, Figure.LOST), total(figure, Figure.LATE));
  }

  /**
   * What took time away from the iterations of a figure, where that is too much, such as {@code
   * steal in 2 iterations, up to 7.1 %}; empty if nothing did.
   */
  public String disturbance(Figure figure) {
    return Disturbance.of(figure, figures);
  }

  private double total(Figure figure, String metric) {
    return figures.stream()
        .filter(other -> other.metric().equals(metric))
        .filter(other -> other.benchmark().equals(figure.benchmark()))
        .filter(other -> other.params().equals(figure.params()))
        .flatMap(other -> other.forks().stream())
        .flatMap(fork -> fork.points().stream())
        .mapToDouble(Figure.Point::value)
        .sum();
  }

  /** Leaves out JMH's score of benchmarks that time themselves. */
  private static List<Figure> mainFigures(List<Figure> all) {
    Map<List<Object>, Boolean> hasOwnClock = new LinkedHashMap<>();
    for (Figure figure : all) {
      hasOwnClock.merge(
          List.of(figure.benchmark(), figure.params()),
          !figure.metric().equals(Figure.SCORE) && figure.unit().equals(Figure.NS),
          Boolean::logicalOr);
    }
    return all.stream()
        .filter(figure -> !figure.forks().isEmpty())
        .filter(
            figure ->
                !figure.metric().equals(Figure.SCORE)
                    || !hasOwnClock.get(List.of(figure.benchmark(), figure.params())))
        .toList();
  }

  private static List<Figure> selfTimed(
      RunFiles run,
      Map<String, Environment> environments,
      List<Figure> scores,
      List<String> problems)
      throws IOException {
    Path hlog = run.resolve(ResultFolder.HISTOGRAMS);
    if (!Files.isDirectory(hlog)) {
      return List.of();
    }
    HistogramLog.Contents contents = HistogramLog.read(hlog);
    problems.addAll(contents.warnings());
    boolean killed =
        environments.values().stream()
            .findFirst()
            .map(Environment::outcome)
            .filter(Environment.Outcome::isWithoutEnd)
            .isPresent();
    return SelfTimedFigures.of(contents.series(), killed, scores, problems);
  }

  private static List<Figure> scores(RunFiles run, List<String> problems) throws IOException {
    List<Path> files = List.of(run.resolve(ResultFolder.JMH_JSON));
    if (Files.notExists(files.get(0)) && Files.exists(run.resolve(ResultFolder.CLUSTER))) {
      return List.of();
    }
    if (Files.notExists(files.get(0))) {
      files = jsonFiles(run.resolve(ResultFolder.BLOCKS));
      if (files.isEmpty()) {
        problems.add(
            run.path()
                + ": there is no jmh.json, as after a run that was killed: figures that JMH"
                + " itself measures are missing");
      }
    }
    List<Figure> figures = new ArrayList<>();
    for (Path file : files) {
      figures.addAll(JmhJson.read(run.nameOf(file), RunFiles.bytes(file), problems));
    }
    return figures;
  }

  private static Map<String, Environment> environments(RunFiles run, List<String> problems)
      throws IOException {
    Map<String, Environment> environments = new LinkedHashMap<>();
    Path own = run.resolve(ResultFolder.ENVIRONMENT);
    List<Path> files = new ArrayList<>();
    if (Files.exists(own)) {
      files.add(own);
    } else if (Files.notExists(run.resolve(ResultFolder.CLUSTER))) {
      problems.add(run.path() + ": there is no environment.json: the environment is unknown");
    }
    files.addAll(jsonFiles(run.resolve(ResultFolder.MACHINES)));
    for (Path file : files) {
      environment(run.nameOf(file), RunFiles.bytes(file), problems)
          .ifPresent(
              environment -> {
                String host =
                    environment.machine() == null || environment.machine().host() == null
                        ? file.getFileName().toString().replace(".json", "")
                        : environment.machine().host();
                environments.putIfAbsent(host, environment);
              });
    }
    return environments;
  }

  private static Optional<Environment> environment(
      String file, byte[] content, List<String> problems) throws IOException {
    try {
      JsonNode json = JSON.readTree(content);
      int schema = json.path("schema").asInt(0);
      if (schema != Environment.SCHEMA) {
        problems.add(
            file
                + " is of another version of this program (format "
                + schema
                + ", this one knows "
                + Environment.SCHEMA
                + "): what has the same name is shown");
      }
      return Optional.of(JSON.treeToValue(json, Environment.class));
    } catch (JsonProcessingException | IllegalArgumentException e) {
      problems.add(
          file
              + " is damaged, so the environment is unknown: "
              + e.getMessage().lines().findFirst().orElse(""));
      return Optional.empty();
    }
  }

  private static List<Path> jsonFiles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
  }
}
