// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A table of text, for a terminal or in Markdown. */
final class TextTable {
  private final List<String> head;
  private final Set<Integer> leftColumns;
  private final List<List<String>> rows = new ArrayList<>();

  /**
   * A table without rows.
   *
   * @param head names of the columns
   * @param leftColumns indices of those that begin at the left; all others end at the right
   */
  TextTable(List<String> head, Set<Integer> leftColumns) {
    this.head = List.copyOf(head);
    this.leftColumns = Set.copyOf(leftColumns);
  }

  void add(List<String> row) {
    if (row.size() != head.size()) {
      throw new IllegalArgumentException(row + " has not the columns " + head);
    }
    rows.add(List.copyOf(row));
  }

  /** Columns two spaces apart. */
  String plain() {
    StringBuilder text = new StringBuilder();
    int[] widths = widths();
    line(text, head, widths, "", "  ", "");
    for (List<String> row : rows) {
      line(text, row, widths, "", "  ", "");
    }
    return text.toString();
  }

  /** In Markdown, aligned for reading as text. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    int[] widths = widths();
    line(text, head, widths, "| ", " | ", " |");
    text.append('|');
    for (int column = 0; column < head.size(); column++) {
      text.append(leftColumns.contains(column) ? ":" : "-")
          .append("-".repeat(widths[column]))
          .append(leftColumns.contains(column) ? "-|" : ":|");
    }
    text.append('\n');
    for (List<String> row : rows) {
      line(
          text,
          row.stream().map(cell -> cell.replace("|", "\\|")).toList(),
          widths,
          "| ",
          " | ",
          " |");
    }
    return text.toString();
  }

  private int[] widths() {
    int[] widths = new int[head.size()];
    for (int column = 0; column < widths.length; column++) {
      widths[column] = head.get(column).length();
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    return widths;
  }

  private void line(
      StringBuilder text, List<String> cells, int[] widths, String open, String gap, String close) {
    StringBuilder line = new StringBuilder(open);
    for (int column = 0; column < cells.size(); column++) {
      String cell = cells.get(column);
      String padding = " ".repeat(Math.max(0, widths[column] - cell.length()));
      line.append(column == 0 ? "" : gap);
      line.append(leftColumns.contains(column) ? cell + padding : padding + cell);
    }
    text.append(line.append(close).toString().stripTrailing()).append('\n');
  }
}
