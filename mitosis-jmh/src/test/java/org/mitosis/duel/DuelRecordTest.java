// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.duel.Turn.Side;
import org.mitosis.result.MachineFacts;
import org.mitosis.result.MergedRun;

class DuelRecordTest {
  private static final Item ONE = item("1");
  private static final Item TWO = item("2");

  @TempDir Path directory;

  @Test
  void isReadAsItWasWritten() throws IOException {
    DuelRecord record = record(4).with(0, DuelRecord.COMPLETE, 0.5);
    Files.writeString(directory.resolve("duel.json"), record.toJson());
    assertEquals(record, DuelRecord.read(directory));
  }

  @Test
  void anItemThatOnlyFailsIsGivenUpForBothVersions() {
    DuelRecord record = record(4);
    record = failed(record, ONE, Side.NEW);
    assertEquals(15, record.open(), "once may be chance");
    record = failed(record, ONE, Side.NEW);
    assertEquals(8, record.open(), "all blocks of the other item");
    assertEquals(List.of("B.m n=1", "B.m n=2"), record.incomplete(Side.OLD));
    assertEquals(2, record.failures().size());
    assertTrue(record.failures().get(0).contains("new, B.m n=1, then: why"), record::toString);
  }

  @Test
  void anItemThatSucceedsOnceIsNotGivenUp() {
    DuelRecord record = record(4);
    record = record.with(index(record, ONE, Side.NEW), DuelRecord.COMPLETE, null);
    for (int i = 0; i < 3; i++) {
      record = failed(record, ONE, Side.NEW);
    }
    assertEquals(12, record.open());
    assertEquals(1, record.complete(Side.NEW).size());
  }

  @Test
  void aFurtherSessionRunsAllThatIsNotCompleteAndKeepsTheFailures() {
    DuelRecord record = record(4);
    record = record.with(index(record, TWO, Side.OLD), DuelRecord.COMPLETE, 1.0);
    record = failed(failed(record, ONE, Side.NEW), ONE, Side.NEW);
    DuelRecord resumed = record.resumed("later");
    assertEquals(15, resumed.open());
    assertEquals(List.of("now", "later"), resumed.sessions());
    assertEquals(record.failures(), resumed.failures());
    assertEquals(record.complete(Side.OLD), resumed.complete(Side.OLD));
  }

  @Test
  void whatIsNoDuelIsNamed() throws IOException {
    IOException none = assertThrows(IOException.class, () -> DuelRecord.read(directory));
    assertTrue(none.getMessage().contains("holds no duel"), none.getMessage());
    Path file = directory.resolve("duel.json");
    Files.writeString(file, "{\"schema\": 1, \"seed\"");
    assertTrue(
        assertThrows(IOException.class, () -> DuelRecord.read(directory))
            .getMessage()
            .contains("is damaged"));
    Files.writeString(file, record(2).toJson().replace("\"schema\" : 1", "\"schema\" : 9"));
    assertTrue(
        assertThrows(IOException.class, () -> DuelRecord.read(directory))
            .getMessage()
            .contains("another version"));
  }

  private static DuelRecord failed(DuelRecord record, Item item, Side side) {
    return record.withFailure(index(record, item, side), "then", "why", null);
  }

  private static int index(DuelRecord record, Item item, Side side) {
    for (int i = 0; i < record.blocks().size(); i++) {
      DuelRecord.Block block = record.blocks().get(i);
      if (block.turn().item().equals(item)
          && block.turn().side() == side
          && block.outcome().equals(DuelRecord.OPEN)) {
        return i;
      }
    }
    throw new AssertionError("no open block");
  }

  private static DuelRecord record(int forks) {
    Contender jar = new Contender("a.jar", "00", "mitosis 0.1.0");
    return new DuelRecord(
        DuelRecord.SCHEMA,
        1,
        forks,
        List.of("a.jar", "a.jar"),
        List.of(),
        jar,
        jar,
        List.of("what is left out"),
        new MergedRun.Start(new MachineFacts.State(List.of(0.1, 0.2, 0.3), 1L, 2L, 3.0), List.of()),
        List.of("now"),
        DuelRecord.open(Turn.order(1, List.of(ONE, TWO), forks)),
        List.of());
  }

  private static Item item(String n) {
    return new Item("org.a.B.m", new TreeMap<>(Map.of("n", n)));
  }
}
