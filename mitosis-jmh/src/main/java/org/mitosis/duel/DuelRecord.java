// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.mitosis.duel.Turn.Side;
import org.mitosis.result.MergedRun;
import org.mitosis.result.ResultFolder;

/**
 * The content of duel.json: what is measured, in which order, and how each fork ended.
 *
 * @param schema version of this format, {@value #SCHEMA}
 * @param seed of the order
 * @param forks number of forks of each item and version
 * @param arguments of the command
 * @param jmhArguments those of them that JMH reads
 * @param oldVersion the first version
 * @param newVersion the second one
 * @param leftOut what is not measured, and why
 * @param start the machine before the first fork
 * @param sessions when it was started and resumed, ISO 8601 in UTC
 * @param blocks in their order
 * @param failures of blocks, also of those that were run again later
 */
public record DuelRecord(
    int schema,
    long seed,
    int forks,
    List<String> arguments,
    List<String> jmhArguments,
    Contender oldVersion,
    Contender newVersion,
    List<String> leftOut,
    MergedRun.Start start,
    List<String> sessions,
    List<Block> blocks,
    List<String> failures) {
  /** The version of the format that this class writes. */
  public static final int SCHEMA = 1;

  /** The file in the folder of a duel. */
  public static final String FILE = ResultFolder.DUEL;

  /** The outcome of a block that is to be run. */
  public static final String OPEN = "open";

  /** The outcome of a block that gave its result. */
  public static final String COMPLETE = "complete";

  /** The outcome of a block without its result. */
  public static final String FAILED = "failed";

  /** The outcome of a block that was not run because others of its item have failed. */
  public static final String GIVEN_UP = "given up";

  /** An item of a version that has failed so often, and never succeeded, is given up. */
  private static final int MOST_FAILURES = 2;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * A fork, and what became of it.
   *
   * @param turn the fork
   * @param outcome one of the four above
   * @param load of the machine before it; null if not known
   */
  public record Block(Turn turn, String outcome, Double load) {
    /** Whether it gave its result. */
    @JsonIgnore
    public boolean isComplete() {
      return outcome.equals(COMPLETE);
    }
  }

  /** Copies the lists. */
  public DuelRecord {
    blocks = List.copyOf(blocks);
    failures = List.copyOf(failures);
  }

  /** The blocks of a duel that starts. */
  public static List<Block> open(List<Turn> turns) {
    return turns.stream().map(turn -> new Block(turn, OPEN, null)).toList();
  }

  /**
   * Reads the record of a duel that was begun before.
   *
   * @throws IOException with a message for the user if there is none in the folder
   */
  public static DuelRecord read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    if (Files.notExists(file)) {
      throw new IOException(
          folder + " holds no duel (it has no " + FILE + "): name the folder of a duel");
    }
    try {
      DuelRecord read = JSON.readValue(Files.readAllBytes(file), DuelRecord.class);
      if (read.schema() != SCHEMA) {
        throw new IOException(
            file + " is of another version of this program: resume the duel with that");
      }
      return read;
    } catch (JsonProcessingException | RuntimeException e) {
      throw new IOException(file + " is damaged: start a new duel", e);
    }
  }

  /** The text of duel.json. */
  public String toJson() throws IOException {
    return JSON.writeValueAsString(this) + "\n";
  }

  /** The same duel with the outcome of a block. */
  public DuelRecord with(int index, String outcome, Double load) {
    List<Block> changed = new ArrayList<>(blocks);
    changed.set(index, new Block(blocks.get(index).turn(), outcome, load));
    return with(sessions, changed, failures);
  }

  /**
   * The same duel with a failed block. An item of which a version never succeeds is given up: of
   * both versions, as without one of them there is nothing to compare.
   *
   * @param at when it failed, ISO 8601 in UTC
   * @param reason a message
   */
  public DuelRecord withFailure(int index, String at, String reason, Double load) {
    Turn failed = blocks.get(index).turn();
    List<String> told = new ArrayList<>(failures);
    told.add((index + 1) + ", " + failed.side() + ", " + failed.item() + ", " + at + ": " + reason);
    List<Block> changed = new ArrayList<>(blocks);
    changed.set(index, new Block(failed, FAILED, load));
    List<Block> same =
        changed.stream()
            .filter(block -> block.turn().item().equals(failed.item()))
            .filter(block -> block.turn().side() == failed.side())
            .toList();
    long failures = same.stream().filter(block -> block.outcome().equals(FAILED)).count();
    if (failures >= MOST_FAILURES && same.stream().noneMatch(Block::isComplete)) {
      changed.replaceAll(
          block ->
              block.turn().item().equals(failed.item()) && block.outcome().equals(OPEN)
                  ? new Block(block.turn(), GIVEN_UP, null)
                  : block);
    }
    return with(sessions, changed, told);
  }

  /** The same duel in a further session, in which all that is not complete is run. */
  public DuelRecord resumed(String at) {
    List<String> more = new ArrayList<>(sessions);
    more.add(at);
    return with(
        more,
        blocks.stream()
            .map(block -> block.isComplete() ? block : new Block(block.turn(), OPEN, null))
            .toList(),
        failures);
  }

  private DuelRecord with(List<String> times, List<Block> changed, List<String> told) {
    return new DuelRecord(
        schema,
        seed,
        forks,
        arguments,
        jmhArguments,
        oldVersion,
        newVersion,
        leftOut,
        start,
        times,
        changed,
        told);
  }

  /** The indices of the complete blocks of a version, in their order. */
  public List<Integer> complete(Side side) {
    List<Integer> complete = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      if (blocks.get(i).turn().side() == side && blocks.get(i).isComplete()) {
        complete.add(i);
      }
    }
    return complete;
  }

  /** The names of the items of which a version lacks forks. */
  public List<String> incomplete(Side side) {
    Set<String> names = new LinkedHashSet<>();
    for (Block block : blocks) {
      if (block.turn().side() == side && !block.isComplete()) {
        names.add(block.turn().item().toString());
      }
    }
    return List.copyOf(names);
  }

  /** How many blocks are to be run. */
  public long open() {
    return blocks.stream().filter(block -> block.outcome().equals(OPEN)).count();
  }

  /** The loads before the blocks of a version, ascending. */
  public List<Double> loads(Side side) {
    return blocks.stream()
        .filter(block -> block.turn().side() == side && block.load() != null)
        .map(Block::load)
        .sorted()
        .toList();
  }

  /** The jar of a version. */
  public Contender of(Side side) {
    return side == Side.OLD ? oldVersion : newVersion;
  }
}
