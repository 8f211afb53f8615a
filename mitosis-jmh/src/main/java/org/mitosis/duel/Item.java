// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.util.Comparator;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mitosis.fixture.MemorySize;
import org.mitosis.result.OlderResults;
import org.mitosis.setting.ParameterNames;

/**
 * A benchmark with one combination of its parameters.
 *
 * @param benchmark class and method, with the package
 * @param parameters values by name
 */
public record Item(String benchmark, SortedMap<String, String> parameters)
    implements Comparable<Item> {

  /**
   * The same item as results name it: sizes in bytes, and with the parameters that an older version
   * does not have.
   */
  Item completed() {
    SortedMap<String, String> completed = new TreeMap<>(OlderResults.completed(parameters));
    completed.computeIfPresent(ParameterNames.MEMORY_SIZE, (name, size) -> inBytes(size));
    return new Item(benchmark, completed);
  }

  private static String inBytes(String size) {
    try {
      return MemorySize.parse(size).toString();
    } catch (IllegalArgumentException e) {
      return size; // of a benchmark of another program
    }
  }

  /** Class and method, without the package. */
  String shortName() {
    return benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
  }

  @Override
  public int compareTo(Item other) {
    return Comparator.comparing(Item::benchmark)
        .thenComparing(item -> item.parameters().toString())
        .compare(this, other);
  }

  /** The name by which a user selects it. */
  @Override
  public String toString() {
    return shortName()
        + parameters.entrySet().stream()
            .map(parameter -> " " + parameter.getKey() + "=" + parameter.getValue())
            .collect(Collectors.joining());
  }
}
