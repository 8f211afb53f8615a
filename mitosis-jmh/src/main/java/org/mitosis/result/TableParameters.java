// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.mitosis.setting.ParameterNames;

/**
 * The parameters of a table: the artifact's in the first column, others that vary in a column each,
 * and constant ones in the title.
 *
 * @param varying names of the parameters with columns of their own
 * @param common text for the title, with a blank before it; empty if there are none
 */
record TableParameters(List<String> varying, String common) {
  private static final int LONGEST_NUMBER = 20;

  /** Sorts the parameters of rows: by the first column, then by all; numbers by value. */
  static final Comparator<Map<String, String>> ORDER =
      Comparator.<Map<String, String>, BigDecimal>comparing(
              parameters -> TableText.numberOf(trace(parameters)),
              Comparator.nullsLast(Comparator.naturalOrder()))
          .thenComparing(TableParameters::trace)
          .thenComparing(TableParameters::padded);

  static TableParameters of(List<Map<String, String>> rows) {
    Map<String, Set<String>> values = new TreeMap<>();
    for (Map<String, String> row : rows) {
      row.forEach((name, value) -> values.computeIfAbsent(name, key -> new TreeSet<>()).add(value));
    }
    values.keySet().removeAll(ParameterNames.TRACE);
    List<String> varying =
        values.keySet().stream().filter(name -> values.get(name).size() > 1).toList();
    values.keySet().removeAll(varying);
    return new TableParameters(
        varying,
        values.isEmpty()
            ? ""
            : values.entrySet().stream()
                .map(one -> one.getKey() + "=" + one.getValue().iterator().next())
                .collect(Collectors.joining(", ", " (", ")")));
  }

  List<String> head() {
    List<String> head = new ArrayList<>(List.of("trace"));
    head.addAll(varying);
    return head;
  }

  List<String> cells(Map<String, String> parameters) {
    List<String> cells = new ArrayList<>(List.of(trace(parameters)));
    varying.forEach(name -> cells.add(parameters.getOrDefault(name, TableText.NOTHING)));
    return cells;
  }

  /** The first column of the artifact's tables: the values of its parameters. */
  static String trace(Map<String, String> parameters) {
    String trace =
        ParameterNames.TRACE.stream()
            .filter(parameters::containsKey)
            .map(parameters::get)
            .collect(Collectors.joining(" "));
    return trace.isEmpty() ? TableText.NOTHING : trace;
  }

  /** All parameters, with numbers padded so that their text sorts by value. */
  private static String padded(Map<String, String> parameters) {
    return new TreeMap<>(parameters)
        .entrySet().stream()
            .map(one -> one.getKey() + "=" + paddedNumber(one.getValue()))
            .collect(Collectors.joining(" "));
  }

  private static String paddedNumber(String value) {
    return TableText.numberOf(value) == null
        ? value
        : "0".repeat(Math.max(0, LONGEST_NUMBER - value.length())) + value;
  }
}
