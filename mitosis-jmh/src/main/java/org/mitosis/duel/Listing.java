// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What JMH prints with {@code -lp}: benchmarks, and the values of their parameters.
 *
 * @param benchmarks the values by the names of the parameters, by the names of the benchmarks
 */
public record Listing(Map<String, SortedMap<String, List<String>>> benchmarks) {
  private static final Pattern BENCHMARK = Pattern.compile("[A-Za-z_$][\\w$]*(?:\\.[\\w$]+)+");
  private static final Pattern PARAMETER =
      Pattern.compile("\\s+param \"([^\"]+)\" = \\{(.*)\\}\\s*");

  /** Reads what was printed. Other lines are skipped. */
  public static Listing parse(String text) {
    Map<String, SortedMap<String, List<String>>> benchmarks = new LinkedHashMap<>();
    SortedMap<String, List<String>> last = new TreeMap<>();
    for (String line : text.lines().toList()) {
      Matcher parameter = PARAMETER.matcher(line);
      if (BENCHMARK.matcher(line).matches()) {
        last = benchmarks.computeIfAbsent(line, any -> new TreeMap<>());
      } else if (parameter.matches()) {
        last.put(parameter.group(1), List.of(parameter.group(2).split(", ")));
      }
    }
    return new Listing(benchmarks);
  }

  /** Every combination of the parameters' values. */
  public List<Item> items() {
    List<Item> items = new ArrayList<>();
    benchmarks.forEach(
        (benchmark, parameters) -> {
          List<SortedMap<String, String>> combinations = List.of(new TreeMap<>());
          for (Map.Entry<String, List<String>> parameter : parameters.entrySet()) {
            List<SortedMap<String, String>> longer = new ArrayList<>();
            for (SortedMap<String, String> combination : combinations) {
              for (String value : parameter.getValue()) {
                SortedMap<String, String> further = new TreeMap<>(combination);
                further.put(parameter.getKey(), value);
                longer.add(further);
              }
            }
            combinations = longer;
          }
          combinations.forEach(combination -> items.add(new Item(benchmark, combination)));
        });
    return items;
  }

  /** Whether a parameter of a benchmark has several values, of which each block gets one. */
  boolean isChoice(Item item, String parameter) {
    return benchmarks.get(item.benchmark()).get(parameter).size() > 1;
  }
}
