// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * One fork of one version.
 *
 * @param round from 1; each item has one fork of each version in a round
 * @param side which version
 * @param item what it measures, by the name that both versions have in common
 */
public record Turn(int round, Side side, Item item) {
  /** A version. */
  public enum Side {
    /** The first one named. */
    OLD("old"),
    /** The second one named. */
    NEW("new");

    private final String text;

    Side(String text) {
      this.text = text;
    }

    /** Its name in files and messages. */
    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * A random order that the seed determines. In a round each item has both its forks one after the
   * other, so that they have the same state of the machine. Which version is first is balanced: in
   * half of an item's rounds it is the old one, as the second fork may find a warmer machine than
   * the first.
   *
   * @param seed of the order
   * @param rounds number of forks of each item and version
   */
  public static List<Turn> order(long seed, Collection<Item> items, int rounds) {
    Random random = new Random(seed);
    List<Item> order = new ArrayList<>(new TreeSet<>(items));
    Map<Item, List<Boolean>> oldFirst = new LinkedHashMap<>();
    for (Item item : order) {
      boolean odd = random.nextBoolean();
      List<Boolean> balanced = new ArrayList<>();
      for (int round = 0; round < rounds; round++) {
        balanced.add(round % 2 == 0 ? odd : !odd);
      }
      Collections.shuffle(balanced, random);
      oldFirst.put(item, balanced);
    }
    List<Turn> turns = new ArrayList<>();
    for (int round = 1; round <= rounds; round++) {
      Collections.shuffle(order, random);
      for (Item item : order) {
        boolean first = oldFirst.get(item).get(round - 1);
        turns.add(new Turn(round, first ? Side.OLD : Side.NEW, item));
        turns.add(new Turn(round, first ? Side.NEW : Side.OLD, item));
      }
    }
    return turns;
  }
}
