// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.ResultFolder;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * A run in blocks, one for each benchmark and combination of parameters, in a random order: a
 * change of the machine over hours does not appear as a difference between two sizes.
 *
 * <p>The folder of the run has {@code sweep.json} with the seed and all blocks in their order, and
 * in {@code blocks/} JMH's result of each one that is done, so that a killed sweep continues with
 * the first unfinished block. The samples of an unfinished block are deleted; that it failed stays
 * in {@code sweep.json}, also when a later session has run it again.
 */
final class Sweep {
  private static final int SCHEMA = 1;
  private static final String FILE = "sweep.json";
  private static final String NO_RESULT = "no result";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The content of sweep.json. */
  record Progress(
      int schema,
      long seed,
      List<String> arguments,
      List<Block> blocks,
      List<String> sessions,
      List<Failure> failures) {

    /** Of a version that kept no failures. */
    Progress {
      failures = failures == null ? List.of() : List.copyOf(failures);
    }
  }

  /**
   * A block that failed, which stays here when a later session has run it again.
   *
   * @param block its number, from 1
   * @param at when it ended, ISO 8601 in UTC
   * @param what it gave, such as {@code 2 of 3 forks}
   */
  record Failure(int block, String at, String what) {}

  /** One line of JMH's final table. */
  record Block(String benchmark, String mode, SortedMap<String, String> parameters) {
    static Block of(Selection.Item item) {
      return new Block(item.benchmark(), item.mode().shortLabel(), item.parameters());
    }

    Selection.Item item() {
      return new Selection.Item(benchmark, Mode.deepValueOf(mode), parameters);
    }
  }

  private final Progress begun;
  private final Path resumed;
  private ResultFolder folder;
  private Progress progress;

  private Sweep(Progress begun, Path resumed) {
    this.begun = begun;
    this.resumed = resumed;
  }

  /** A sweep that starts. */
  static Sweep of(long seed, List<String> arguments) {
    return new Sweep(new Progress(SCHEMA, seed, arguments, List.of(), List.of(), List.of()), null);
  }

  /**
   * A sweep that was begun before.
   *
   * @throws IOException with a message for the user if there is none in the folder
   */
  static Sweep resume(Path folder) throws IOException {
    if (Files.isRegularFile(folder)) {
      throw new IOException(folder + " is a file: sweep --resume takes the folder of a sweep");
    }
    Path file = folder.resolve(FILE);
    if (Files.notExists(file)) {
      throw new IOException(
          folder + " holds no sweep (it has no " + FILE + "): name the folder of a sweep");
    }
    try {
      Progress read = JSON.readValue(Files.readAllBytes(file), Progress.class);
      if (read.schema() != SCHEMA || read.arguments() == null || read.blocks() == null) {
        throw new IOException(
            file + " is of another version of this program: resume the sweep with that");
      }
      read.blocks().forEach(Block::item);
      return new Sweep(read, folder.toAbsolutePath().normalize());
    } catch (JsonProcessingException | RuntimeException e) {
      throw new IOException(file + " is damaged: start a new sweep", e);
    }
  }

  List<String> arguments() {
    return begun.arguments();
  }

  boolean isResumed() {
    return resumed != null;
  }

  /** The folder of a sweep that was begun before. */
  ResultFolder resumedFolder() {
    return ResultFolder.existing(resumed);
  }

  /** Chooses the order of the blocks, or takes that of the resumed sweep. */
  void begin(ResultFolder where, Collection<Selection.Item> items, Instant now) throws IOException {
    folder = where;
    Files.createDirectories(blocks());
    List<Block> order = new ArrayList<>(begun.blocks());
    if (!isResumed()) {
      items.stream()
          .sorted(
              Comparator.comparing(Selection.Item::toString).thenComparing(Selection.Item::mode))
          .map(Block::of)
          .forEach(order::add);
      Collections.shuffle(order, new Random(begun.seed()));
    }
    List<String> sessions =
        new ArrayList<>(begun.sessions() == null ? List.of() : begun.sessions());
    sessions.add(now.toString());
    progress =
        new Progress(
            SCHEMA,
            begun.seed(),
            begun.arguments(),
            List.copyOf(order),
            sessions,
            begun.failures());
    writeProgress();
    for (int i = 0; i < order.size(); i++) {
      if (isDone(i)) {
        keepSamples(i);
      } else {
        deleteSamples(i);
      }
    }
  }

  /** All items of the sweep, done or not. */
  Set<Selection.Item> items() {
    Set<Selection.Item> items = new LinkedHashSet<>();
    progress.blocks().forEach(block -> items.add(block.item()));
    return items;
  }

  /** The items that are done. */
  Set<Selection.Item> done() {
    Set<Selection.Item> done = new LinkedHashSet<>();
    for (int i = 0; i < progress.blocks().size(); i++) {
      if (isDone(i)) {
        done.add(progress.blocks().get(i).item());
      }
    }
    return done;
  }

  /** Makes the options of a block, after the directory of its samples has been set. */
  interface BlockOptions {
    /** The options of all blocks. */
    Options get();
  }

  /** Runs the blocks that are not done, in their order. */
  Collection<RunResult> run(BlockOptions options, OutputFormat output, PrintStream err)
      throws RunnerException, IOException {
    List<RunResult> results = new ArrayList<>();
    int all = progress.blocks().size();
    for (int i = 0; i < all; i++) {
      if (isDone(i)) {
        continue;
      }
      Selection.Item item = progress.blocks().get(i).item();
      err.println("mitosis: block " + (i + 1) + " of " + all + ": " + item);
      System.setProperty(HistogramLog.DIRECTORY_PROPERTY, samples(i).toString());
      Collection<RunResult> block = new Runner(only(item, options.get()), output).run();
      if (block.isEmpty()) {
        noteFailure(i, NO_RESULT);
        deleteSamples(i);
        continue; // it failed: JMH has printed the reason, and a resumed sweep runs it again
      }
      for (String what : ForkCheck.incomplete(block).values()) {
        noteFailure(i, what);
      }
      ForkCheck.markAborted(block, Set.of(item), samples(i));
      folder.replace(result(i), json(block));
      keepSamples(i);
      results.addAll(block);
    }
    return results;
  }

  private void noteFailure(int block, String what) throws IOException {
    List<Failure> failures = new ArrayList<>(progress.failures());
    failures.add(new Failure(block + 1, Instant.now().toString(), what));
    progress =
        new Progress(
            progress.schema(),
            progress.seed(),
            progress.arguments(),
            progress.blocks(),
            progress.sessions(),
            failures);
    writeProgress();
  }

  private void writeProgress() throws IOException {
    folder.replace(folder.path().resolve(FILE), JSON.writeValueAsString(progress) + "\n");
  }

  /** The blocks that are done without some of their forks or iterations, and what they have. */
  Map<Selection.Item, String> incomplete() {
    Map<Selection.Item, String> incomplete = new LinkedHashMap<>();
    for (Failure failure : progress.failures()) {
      if (isDone(failure.block() - 1) && !failure.what().equals(NO_RESULT)) {
        incomplete.put(progress.blocks().get(failure.block() - 1).item(), failure.what());
      }
    }
    return incomplete;
  }

  /** The failures of blocks that a later session has run again, one line each. */
  List<String> repeated() {
    return progress.failures().stream()
        .filter(failure -> isDone(failure.block() - 1) && failure.what().equals(NO_RESULT))
        .map(
            failure ->
                progress.blocks().get(failure.block() - 1).item()
                    + ": "
                    + failure.what()
                    + " at "
                    + failure.at()
                    + ", run again later")
        .toList();
  }

  /** The options of a block: those of all, and every other benchmark excluded. */
  static Options only(Selection.Item item, Options options) {
    ChainedOptionsBuilder one =
        new OptionsBuilder()
            .parent(options)
            // An include would be added to those of the command line.
            .exclude("^(?!" + Pattern.quote(item.benchmark()) + "$)")
            .mode(item.mode());
    item.parameters().forEach(one::param);
    return one.build();
  }

  /** JMH's results of all blocks that are done, in the format of one file. */
  String json() throws IOException {
    ArrayNode all = JSON.createArrayNode();
    Map<String, JsonNode> sorted = new TreeMap<>();
    for (int i = 0; i < progress.blocks().size(); i++) {
      if (isDone(i)) {
        sorted.put(
            progress.blocks().get(i).item() + " " + progress.blocks().get(i).mode(),
            JSON.readTree(Files.readAllBytes(result(i))));
      }
    }
    sorted.values().forEach(block -> block.forEach(all::add));
    return JSON.writeValueAsString(all) + "\n";
  }

  private Path blocks() {
    return folder.path().resolve(ResultFolder.BLOCKS);
  }

  private Path result(int block) {
    return blocks().resolve(String.format(Locale.ROOT, "%04d.json", block + 1));
  }

  /** The folder of a block's samples until it is done. */
  private Path samples(int block) {
    return blocks().resolve(String.format(Locale.ROOT, "%04d.hlog", block + 1));
  }

  private boolean isDone(int block) {
    return Files.exists(result(block));
  }

  private void keepSamples(int block) throws IOException {
    if (Files.notExists(samples(block))) {
      return;
    }
    for (Path file : filesIn(samples(block))) {
      Files.move(
          file,
          folder.histograms().resolve(file.getFileName()),
          StandardCopyOption.REPLACE_EXISTING);
    }
    Files.delete(samples(block));
  }

  private void deleteSamples(int block) throws IOException {
    if (Files.notExists(samples(block))) {
      return;
    }
    for (Path file : filesIn(samples(block))) {
      Files.delete(file);
    }
    Files.delete(samples(block));
  }

  private static List<Path> filesIn(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private static String json(Collection<RunResult> results) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream stream = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
      ResultFormatFactory.getInstance(ResultFormatType.JSON, stream).writeOut(results);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
