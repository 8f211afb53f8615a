// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What both versions have.
 *
 * @param old the items as the old version names them, by what they have in common
 * @param now the items as the new version names them
 * @param leftOut a message for each benchmark of which a version lacks something
 */
public record Pairs(SortedMap<Item, Item> old, SortedMap<Item, Item> now, List<String> leftOut) {

  /** Finds the items of both. */
  public static Pairs of(List<Item> old, List<Item> now) {
    SortedMap<Item, Item> before = byCommonName(old);
    SortedMap<Item, Item> after = byCommonName(now);
    List<String> leftOut = new ArrayList<>();
    leftOut.addAll(only("old", before, after));
    leftOut.addAll(only("new", after, before));
    before.keySet().retainAll(after.keySet());
    after.keySet().retainAll(before.keySet());
    return new Pairs(before, after, List.copyOf(leftOut));
  }

  private static SortedMap<Item, Item> byCommonName(List<Item> items) {
    SortedMap<Item, Item> named = new TreeMap<>();
    items.forEach(item -> named.put(item.completed(), item));
    return named;
  }

  private static List<String> only(
      String side, SortedMap<Item, Item> all, SortedMap<Item, Item> others) {
    Map<String, List<Item>> byName = new LinkedHashMap<>();
    all.keySet().stream()
        .filter(item -> !others.containsKey(item))
        .forEach(
            item -> byName.computeIfAbsent(item.shortName(), any -> new ArrayList<>()).add(item));
    return byName.values().stream()
        .map(
            items ->
                "only the "
                    + side
                    + " version has "
                    + items.get(0)
                    + (items.size() == 1 ? "" : ", and " + (items.size() - 1) + " more of it"))
        .toList();
  }
}
