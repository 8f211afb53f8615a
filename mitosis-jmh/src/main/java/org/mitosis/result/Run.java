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
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A run, read from its {@link ResultFolder}, or from a result file of JMH's alone. What is damaged
 * or missing is a sentence in {@link #problems}; everything else is there.
 *
 * @param name the folder's
 * @param path the folder, or JMH's file
 * @param environments of each machine by its name: the one that ran the command first
 * @param figures by benchmark, in the order of the files
 * @param failed what gave no result, as {@link Figure#title} would name it
 * @param problems one sentence each
 */
public record Run(
    String name,
    Path path,
    Map<String, Environment> environments,
    List<Figure> figures,
    List<String> failed,
    List<String> problems) {

  private static final String CLUSTER = "cluster.json";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL);

  /**
   * Reads a run.
   *
   * @param path a folder that a run left, or a JSON file of JMH's
   * @throws IOException with a sentence for the user if there is nothing of a run
   */
  public static Run read(Path path) throws IOException {
    if (Files.notExists(path)) {
      throw new IOException(
          path
              + " does not exist: name a folder that a run has left, such as"
              + " results/<date>-<host>-<name>");
    }
    List<String> problems = new ArrayList<>();
    if (Files.isRegularFile(path)) {
      List<Figure> figures = JmhJson.read(path, problems);
      if (figures.isEmpty()) {
        throw new IOException(problems.isEmpty() ? path + " holds no results" : problems.get(0));
      }
      return new Run(nameOf(path), path, Map.of(), mainFigures(figures), List.of(), problems);
    }
    Map<String, Environment> environments = environments(path, problems);
    List<Figure> figures = new ArrayList<>(selfTimed(path, problems));
    Set<Figure.Key> known = new HashSet<>();
    figures.forEach(figure -> known.add(figure.key()));
    for (Figure figure : scores(path, problems)) {
      if (known.add(figure.key())) {
        figures.add(figure);
      }
    }
    Path cluster = path.resolve(CLUSTER);
    if (Files.exists(cluster)) {
      return ofCluster(path, environments, figures, problems);
    }
    Environment own = environments.isEmpty() ? null : environments.values().iterator().next();
    if (figures.isEmpty() && own == null) {
      throw new IOException(
          path
              + " holds no results: there is no jmh.json, no hlog/*.hlog and no environment.json"
              + " in it; name a folder that a run has left"
              + (problems.isEmpty() ? "" : " (" + String.join("; ", problems) + ")"));
    }
    if (own != null && own.outcome() == Environment.Outcome.RUNNING) {
      problems.add(path + ": the run has not ended, or was killed: what it left is shown");
    } else if (own != null && own.outcome() == Environment.Outcome.INTERRUPTED) {
      problems.add(path + ": the run was interrupted: what it left is shown");
    }
    return new Run(
        nameOf(path),
        path,
        environments,
        mainFigures(figures),
        own == null || own.failed() == null ? List.of() : own.failed(),
        List.copyOf(problems));
  }

  /** A run on several machines, which says in a file of its own how it ended. */
  private static Run ofCluster(
      Path path, Map<String, Environment> environments, List<Figure> figures, List<String> problems)
      throws IOException {
    List<String> failed = new ArrayList<>();
    try {
      JsonNode cluster = JSON.readTree(Files.readAllBytes(path.resolve(CLUSTER)));
      String outcome = cluster.path("outcome").asText("");
      if (!List.of("complete", "failed").contains(outcome)) {
        problems.add(path + ": the run has not ended, or was killed: what it left is shown");
      }
      cluster.path("failures").forEach(failure -> failed.add(failure.asText()));
    } catch (JsonProcessingException e) {
      problems.add(path.resolve(CLUSTER) + " is damaged, so how the run ended is not known");
    }
    return new Run(
        nameOf(path),
        path,
        environments,
        mainFigures(figures),
        List.copyOf(failed),
        List.copyOf(problems));
  }

  /** The environment of the machine that ran the command, if it is known. */
  public Optional<Environment> environment() {
    return environments.values().stream().findFirst();
  }

  private static String nameOf(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? path.toString() : name.toString();
  }

  /** JMH's score says nothing that is worth showing where a benchmark has a clock of its own. */
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

  private static List<Figure> selfTimed(Path folder, List<String> problems) throws IOException {
    Path hlog = folder.resolve("hlog");
    if (!Files.isDirectory(hlog)) {
      return List.of();
    }
    HistogramLog.Contents contents = HistogramLog.read(hlog);
    problems.addAll(contents.warnings());
    Map<Figure.Key, List<Figure.Fork>> byFigure = new LinkedHashMap<>();
    for (HistogramLog.Series series : contents.series()) {
      List<Figure.Point> points = new ArrayList<>();
      for (HistogramLog.Slice slice : series.slices()) {
        points.add(
            new Figure.Point(
                slice.iteration(),
                slice.startMs(),
                slice.endMs(),
                slice.samples().median(),
                slice.samples()));
      }
      byFigure
          .computeIfAbsent(
              new Figure.Key(
                  series.benchmark(), new TreeMap<>(series.params()), series.metric(), Figure.NS),
              key -> new ArrayList<>())
          .add(new Figure.Fork(series.fork(), points));
    }
    List<Figure> figures = new ArrayList<>();
    byFigure.forEach(
        (key, forks) ->
            figures.add(
                new Figure(key.benchmark(), key.params(), key.metric(), key.unit(), forks)));
    return figures;
  }

  private static List<Figure> scores(Path folder, List<String> problems) throws IOException {
    List<Path> files = List.of(folder.resolve("jmh.json"));
    if (Files.notExists(files.get(0)) && Files.exists(folder.resolve(CLUSTER))) {
      return List.of();
    }
    if (Files.notExists(files.get(0))) {
      files = jsonFiles(folder.resolve("blocks"));
      if (files.isEmpty()) {
        problems.add(
            folder
                + ": there is no jmh.json, as after a run that was killed: figures that JMH"
                + " itself measures are missing");
      }
    }
    List<Figure> figures = new ArrayList<>();
    for (Path file : files) {
      figures.addAll(JmhJson.read(file, problems));
    }
    return figures;
  }

  private static Map<String, Environment> environments(Path folder, List<String> problems)
      throws IOException {
    Map<String, Environment> environments = new LinkedHashMap<>();
    Path own = folder.resolve("environment.json");
    List<Path> files = new ArrayList<>();
    if (Files.exists(own)) {
      files.add(own);
    } else if (Files.notExists(folder.resolve(CLUSTER))) {
      problems.add(folder + ": there is no environment.json: where this was measured is not known");
    }
    files.addAll(jsonFiles(folder.resolve("machines")));
    for (Path file : files) {
      environment(file, problems)
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

  private static Optional<Environment> environment(Path file, List<String> problems)
      throws IOException {
    try {
      JsonNode json = JSON.readTree(Files.readAllBytes(file));
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
              + " is damaged, so the environment is not known: "
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
