// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mitosis.fixture.MemorySize;
import org.mitosis.setting.ExitCode;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code list}: the benchmarks, what each measures, and its parameters. */
@Command(
    name = "list",
    header = "The benchmarks: what each measures, and its parameters with their values.",
    description =
        "Lists the benchmarks that match one of REGEXP (by default all), with a line on each and the"
            + " default values of its parameters, which -p NAME=VALUE,VALUE of a run overrides."
            + " JMH's own -l and -lp print only names.")
final class ListCommand implements BenchCommand {
  /** First sentences of the Javadoc, by class and by class and method; a test compares them. */
  static final String DESCRIPTIONS = "benchmarks.properties";

  @Option(
      names = "--json",
      description =
          "A JSON list instead: benchmark, measures (of its class), description, modes, parameters.")
  private boolean json;

  @Parameters(paramLabel = "REGEXP", description = "As for JMH: it matches a part of the name.")
  private List<Pattern> patterns = List.of();

  private final PrintStream out;
  private final PrintStream err;

  ListCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    ChainedOptionsBuilder builder = new OptionsBuilder();
    patterns.forEach(pattern -> builder.include(pattern.pattern()));
    Options options = builder.build();
    Map<String, List<BenchmarkListEntry>> byName = new TreeMap<>();
    for (BenchmarkListEntry entry : Selection.of(options).entries()) {
      byName.computeIfAbsent(entry.getUsername(), any -> new ArrayList<>()).add(entry);
    }
    if (byName.isEmpty()) {
      err.println("mitosis: " + Selection.nothingMatches(options));
      return ExitCode.WRONG_ARGUMENTS;
    }
    Properties descriptions = descriptions();
    out.print(json ? json(byName, descriptions) : text(byName, descriptions));
    return ExitCode.DONE;
  }

  private static String text(
      Map<String, List<BenchmarkListEntry>> byName, Properties descriptions) {
    StringBuilder text = new StringBuilder();
    String lastType = "";
    for (Map.Entry<String, List<BenchmarkListEntry>> one : byName.entrySet()) {
      String name = Selection.shortName(one.getKey());
      String type = name.substring(0, name.indexOf('.'));
      if (!type.equals(lastType)) {
        text.append(lastType.isEmpty() ? "" : "\n");
        text.append(type).append(": ").append(descriptions.getProperty(type, "")).append('\n');
        lastType = type;
      }
      text.append("  ").append(name).append("  ");
      text.append(descriptions.getProperty(name, "")).append('\n');
      String parameters =
          parameters(one.getValue().get(0)).entrySet().stream()
              .map(parameter -> parameter.getKey() + "=" + String.join(",", parameter.getValue()))
              .collect(Collectors.joining(" "));
      text.append(parameters.isEmpty() ? "" : "      " + parameters + "\n");
    }
    return text.toString().replaceAll("(?m)[: ]+$", "");
  }

  private static String json(
      Map<String, List<BenchmarkListEntry>> byName, Properties descriptions) {
    ArrayNode list = new ObjectMapper().createArrayNode();
    byName.forEach(
        (benchmark, entries) -> {
          String name = Selection.shortName(benchmark);
          ObjectNode one = list.addObject().put("benchmark", benchmark);
          one.put("measures", descriptions.getProperty(name.substring(0, name.indexOf('.')), ""));
          one.put("description", descriptions.getProperty(name, ""));
          ArrayNode modes = one.putArray("modes");
          entries.forEach(entry -> modes.add(entry.getMode().shortLabel()));
          ObjectNode parameters = one.putObject("parameters");
          parameters(entries.get(0))
              .forEach((parameter, values) -> values.forEach(parameters.putArray(parameter)::add));
        });
    return list.toPrettyString() + "\n";
  }

  /** Values as they are given with {@code -p}. */
  private static Map<String, List<String>> parameters(BenchmarkListEntry entry) {
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    if (entry.getParams().hasValue()) {
      new TreeMap<>(entry.getParams().get())
          .forEach(
              (name, values) ->
                  parameters.put(
                      name,
                      Arrays.stream(values)
                          .map(value -> name.equals(MemorySize.PROPERTY) ? shortSize(value) : value)
                          .toList()));
    }
    return parameters;
  }

  private static String shortSize(String value) {
    long mebibytes = MemorySize.parse(value).bytes() >> 20;
    return mebibytes << 20 != MemorySize.parse(value).bytes()
        ? value
        : mebibytes % 1024 == 0 ? mebibytes / 1024 + "g" : mebibytes + "m";
  }

  static Properties descriptions() throws IOException {
    Properties descriptions = new Properties();
    try (InputStream file = ListCommand.class.getResourceAsStream(DESCRIPTIONS)) {
      descriptions.load(new InputStreamReader(file, StandardCharsets.UTF_8));
    }
    return descriptions;
  }
}
