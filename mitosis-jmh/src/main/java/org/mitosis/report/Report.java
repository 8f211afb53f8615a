// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mitosis.report.chart.ChartDrawing;
import org.mitosis.result.Environment;
import org.mitosis.result.Figure;
import org.mitosis.result.ReferenceFigures;
import org.mitosis.result.ResultFolder;
import org.mitosis.result.Run;
import org.mitosis.stats.SteadyState;

/**
 * A report on runs: {@code index.html}, which needs no other file; {@code report.md}; {@code
 * figures.csv}; the plots as SVG, PDF and PNG in {@code plots/}; and of a single run {@code
 * figures.jmh.json}.
 */
public final class Report {
  private static final String MARKDOWN = "report.md";
  private static final String JMH = "figures.jmh.json";
  private static final Pattern PLOT = Pattern.compile("\\]\\(plots/([a-z0-9-]+)\\.svg\\)");

  private final List<Run> runs;
  private final List<ReportedFigure> figures;
  private final List<String> problems;

  private Report(List<Run> runs, List<ReportedFigure> figures, List<String> problems) {
    this.runs = runs;
    this.figures = figures;
    this.problems = problems;
  }

  /** A report on runs, not written yet. */
  public static Report of(List<Run> runs) {
    List<ReportedFigure> figures = new ArrayList<>();
    Set<String> problems = new LinkedHashSet<>();
    for (Run run : runs) {
      NoiseFloor floor = NoiseFloor.of(run);
      figures.addAll(
          run.figures().parallelStream()
              .filter(figure -> !figure.isNote())
              .map(figure -> ReportedFigure.of(run, floor, figure))
              .toList());
      problems.addAll(run.problems());
    }
    figures.sort(
        Comparator.comparing(ReportedFigure::figure, FigureOrder.BY_NAME)
            .thenComparing(one -> runs.indexOf(one.run())));
    return new Report(List.copyOf(runs), List.copyOf(figures), List.copyOf(problems));
  }

  /** A plot in its three formats. */
  record Drawn(Plot plot, String svg, byte[] pdf, byte[] png) {}

  /**
   * Writes the report.
   *
   * @param folder made if missing; files of the same names are replaced, and the plots of an
   *     earlier report here removed
   * @throws IOException if the folder cannot be written to
   */
  public void write(Path folder) throws IOException {
    List<Drawn> drawn = draw();
    List<FigureTable> tables = FigureTable.of(runs, figures);
    EnvironmentTable environments = EnvironmentTable.of(runs);
    deletePlots(folder);
    Files.createDirectories(folder.resolve("plots"));
    for (Drawn one : drawn) {
      Path plots = folder.resolve("plots");
      write(plots.resolve(one.plot().name() + ".svg"), one.svg());
      Files.write(plots.resolve(one.plot().name() + ".pdf"), one.pdf());
      Files.write(plots.resolve(one.plot().name() + ".png"), one.png());
    }
    write(
        folder.resolve("index.html"),
        new HtmlReport(
                runs,
                KeyFigure.of(runs, figures),
                files(folder),
                problems,
                bySection(drawn),
                tables,
                environments)
            .text());
    write(
        folder.resolve(MARKDOWN),
        MarkdownReport.of(runs, problems, bySection(drawn), tables, environments));
    write(folder.resolve("figures.csv"), csv());
    if (runs.size() == 1) {
      write(folder.resolve(JMH), JmhFigures.of(figures));
    } else {
      // Two runs have figures of one name.
      Files.deleteIfExists(folder.resolve(JMH));
    }
  }

  /** Deletes the plots that an earlier report names. */
  private static void deletePlots(Path folder) throws IOException {
    Path before = folder.resolve(MARKDOWN);
    if (Files.isRegularFile(before)) {
      String text = new String(Files.readAllBytes(before), StandardCharsets.UTF_8);
      for (MatchResult plot : PLOT.matcher(text).results().toList()) {
        for (String ending : List.of(".svg", ".pdf", ".png")) {
          Files.deleteIfExists(folder.resolve("plots").resolve(plot.group(1) + ending));
        }
      }
    }
  }

  /** The content of figures.csv. */
  String csv() {
    return FiguresCsv.of(figures);
  }

  /** The number of figures. */
  public int size() {
    return figures.size();
  }

  private List<Drawn> draw() {
    List<Plot> plots = new ArrayList<>(RunRatioPlots.of(runs, figures));
    plots.addAll(SizePlots.of(runs, figures));
    plots.addAll(FunctionPlots.of(runs, figures));
    plots.addAll(JvmPlots.of(runs, figures));
    plots.addAll(RatioPlots.of(runs, figures));
    plots.addAll(ThroughputPlots.of(runs, figures));
    plots.addAll(BurstPlots.of(runs, figures));
    plots.addAll(ForkPlots.of(runs, figures));
    plots.addAll(PercentilePlots.of(runs, figures));
    return unique(plots).parallelStream()
        .map(
            plot -> {
              ChartDrawing drawing = new ChartDrawing(plot.chart());
              return new Drawn(plot, drawing.svg(), drawing.pdf(), drawing.png());
            })
        .toList();
  }

  private static List<Plot> unique(List<Plot> plots) {
    Map<String, Plot> byName = new LinkedHashMap<>();
    for (Plot plot : plots) {
      String name = plot.name();
      for (int again = 2; byName.containsKey(name); again++) {
        name = plot.name() + "-" + again;
      }
      byName.put(name, new Plot(plot.section(), name, plot.chart()));
    }
    return List.copyOf(byName.values());
  }

  private static Map<String, List<Plot>> bySection(List<Drawn> drawn) {
    Map<String, List<Plot>> sections = new LinkedHashMap<>();
    drawn.stream()
        .map(Drawn::plot)
        .forEach(one -> sections.computeIfAbsent(one.section(), key -> new ArrayList<>()).add(one));
    return sections;
  }

  /** The names of the files that the page links to, by their addresses. */
  private Map<String, String> files(Path folder) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put("figures.csv", "figures.csv");
    if (runs.size() == 1) {
      files.put(JMH, JMH);
    }
    files.put(MARKDOWN, MARKDOWN);
    Path from = folder.toAbsolutePath().normalize();
    for (Run run : runs) {
      Path path = run.path().toAbsolutePath().normalize();
      String letter = PlotName.run(run, runs);
      if (!Files.isDirectory(path)) {
        files.put(address(from.relativize(path)), letter + path.getFileName());
        continue;
      }
      for (String name : ResultFolder.FILES) {
        Path file = path.resolve(name);
        if (Files.exists(file)) {
          String ending = Files.isDirectory(file) ? "/" : "";
          files.put(address(from.relativize(file)) + ending, letter + name + ending);
        }
      }
    }
    return files;
  }

  /** A relative path as a link has it: with its special characters escaped. */
  private static String address(Path relative) {
    List<String> names = new ArrayList<>();
    relative.forEach(
        name ->
            names.add(
                URLEncoder.encode(name.toString(), StandardCharsets.UTF_8).replace("+", "%20")));
    return String.join("/", names);
  }

  private static void write(Path file, String text) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /** The line above the figures of a run. */
  static String headline(Run run) {
    return run.environment()
        .map(
            environment ->
                "started "
                    + environment.started()
                    + ", backend "
                    + (environment.backend() == null ? "unknown" : environment.backend().chosen())
                    + ", outcome "
                    + environment.outcome())
        .orElse("its environment is unknown");
  }

  /** Explains the columns of the tables. */
  static final List<String> LEGEND =
      List.of(
          "median: of the medians of the forks, each over its steady part",
          "interval: of the median, by bootstrap with the fork as the sampling unit; its confidence"
              + " is in brackets: below six forks it is less than 95 %; none below three forks",
          "p90, p99, p99.9: of all samples of the steady parts; from 10, 100 and 1000 samples on",
          "few samples: a fork has fewer than five, which do not carry a comparison",
          "steady: how the times of each fork changed, by changepoints; none: no steady part was"
              + " found, and all iterations are used; "
              + Quantity.NOTHING
              + ": too few values to find one",
          "a further thread, a further file: the median less that of the fewest threads or files,"
              + " divided by how many more",
          "published: the median of the figures in the MITOSIS artifact's documentation"
              + " (results/reference)",
          ReferenceFigures.difference("startup").orElseThrow());

  /** Reasons why the figures of a run are less reliable. */
  static List<String> warnings(Run run) {
    List<String> warnings =
        new ArrayList<>(run.environment().map(Environment::warnings).orElse(List.of()));
    List<Figure> figures = run.figures().stream().filter(figure -> !figure.isNote()).toList();
    // PeakThroughput has one rate a fork, and many values of its children.
    Set<List<Object>> labelled =
        figures.stream()
            .filter(figure -> !isTooShort(figure))
            .map(figure -> List.<Object>of(figure.benchmark(), figure.params()))
            .collect(Collectors.toSet());
    long tooShort =
        figures.stream()
            .filter(figure -> !labelled.contains(List.of(figure.benchmark(), figure.params())))
            .count();
    if (tooShort > 0) {
      warnings.add(
          tooShort
              + " of "
              + figures.size()
              + " figures have forks with fewer than "
              + SteadyState.FEWEST
              + " values in time, in which no warm-up can be found: ask for "
              + SteadyState.FEWEST
              + " iterations (-i) or more");
    }
    return List.copyOf(warnings);
  }

  private static boolean isTooShort(Figure figure) {
    return figure.forks().stream().anyMatch(fork -> fork.points().size() < SteadyState.FEWEST);
  }

  static List<String> repeated(Run run) {
    return run.environment()
        .map(Environment::repeated)
        .map(list -> list == null ? List.<String>of() : list)
        .orElse(List.of());
  }

  static List<String> leftOut(Run run) {
    return run.environment().map(Environment::leftOut).orElse(List.of());
  }
}
