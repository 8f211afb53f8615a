// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.duel.Turn.Side;

class TurnTest {
  private static final List<Item> ITEMS = items(8);

  @Test
  void theSeedAloneDeterminesTheOrder() {
    List<Item> reversed = new ArrayList<>(ITEMS);
    Collections.reverse(reversed);
    assertEquals(Turn.order(7, ITEMS, 10), Turn.order(7, reversed, 10));
    assertNotEquals(Turn.order(7, ITEMS, 10), Turn.order(8, ITEMS, 10));
  }

  @Test
  void eachRoundHasEachItemOnceForEachVersion() {
    List<Turn> turns = Turn.order(1, ITEMS, 5);
    assertEquals(5 * 2 * ITEMS.size(), turns.size());
    for (int round = 1; round <= 5; round++) {
      List<Turn> inRound = turns.subList((round - 1) * 16, round * 16);
      Set<Turn> distinct = new HashSet<>(inRound);
      assertEquals(16, distinct.size());
      for (Turn turn : inRound) {
        assertEquals(round, turn.round());
      }
    }
  }

  @Test
  void theForksOfAnItemFollowEachOther() {
    List<Turn> turns = Turn.order(1, ITEMS, 5);
    for (int i = 0; i < turns.size(); i += 2) {
      assertEquals(turns.get(i).item(), turns.get(i + 1).item());
      assertNotEquals(turns.get(i).side(), turns.get(i + 1).side());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 11})
  void whichVersionIsFirstIsBalanced(int rounds) {
    for (long seed = 0; seed < 50; seed++) {
      List<Turn> turns = Turn.order(seed, ITEMS, rounds);
      for (Item item : ITEMS) {
        int oldFirst = 0;
        for (int i = 0; i < turns.size(); i += 2) {
          if (turns.get(i).item().equals(item) && turns.get(i).side() == Side.OLD) {
            oldFirst++;
          }
        }
        assertTrue(
            oldFirst == rounds / 2 || oldFirst == rounds - rounds / 2,
            oldFirst + " of " + rounds + " with seed " + seed);
      }
    }
  }

  @Test
  void neitherItemsNorVersionsAreInAFixedOrder() {
    List<Turn> turns = Turn.order(3, ITEMS, 4);
    Set<List<Item>> orders = new HashSet<>();
    Set<List<Side>> sides = new HashSet<>();
    for (int round = 0; round < 4; round++) {
      List<Turn> inRound = turns.subList(round * 16, (round + 1) * 16);
      orders.add(inRound.stream().map(Turn::item).toList());
      sides.add(inRound.stream().map(Turn::side).toList());
    }
    assertEquals(4, orders.size());
    assertEquals(4, sides.size());
  }

  private static List<Item> items(int count) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.add(new Item("org.a.B.m", new TreeMap<>(Map.of("n", Integer.toString(i)))));
    }
    return items;
  }
}
