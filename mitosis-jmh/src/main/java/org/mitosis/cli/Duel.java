// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.duel.BlockRunner;
import org.mitosis.duel.Contender;
import org.mitosis.duel.DuelRecord;
import org.mitosis.duel.Item;
import org.mitosis.duel.JmhArguments;
import org.mitosis.duel.Listing;
import org.mitosis.duel.Pairs;
import org.mitosis.duel.Turn;
import org.mitosis.duel.Turn.Side;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.report.RunComparison;
import org.mitosis.result.Environment;
import org.mitosis.result.Environment.Outcome;
import org.mitosis.result.MachineFacts;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.MergedRun;
import org.mitosis.result.ResultFolder;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import org.mitosis.setting.MissingPrerequisite;
import org.mitosis.setting.ParameterNames;

/**
 * Two versions measured in turns.
 *
 * <p>Each block is a run of one fork in a folder of its own. The folders of each version are put
 * together at the end, and after an interruption. So a duel that was killed loses one fork, and
 * continues with it.
 */
final class Duel {
  private static final String PACKAGE = "org.mitosis.benchmark.";
  private static final String RUNTIME_DIRECTORY = "MITOSIS_RUNTIME_DIR";

  /** A block that is ended together with this process may end before this process knows of it. */
  private static final long INTERRUPTION_MS = 1_000;

  /** The same, if a signal has ended the block. */
  private static final long SIGNAL_MS = 10_000;

  private static final long POLL_MS = 50;

  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;
  private final ResultFolder folder;
  private final JmhArguments jmh;
  private final Map<Side, Listing> listings = new EnumMap<>(Side.class);
  private final Map<Side, Map<Item, Item>> names = new EnumMap<>(Side.class);
  private final Map<Side, Environment> first = new EnumMap<>(Side.class);
  private final Path runtime;
  private final boolean ownsRuntime;
  private DuelRecord record;
  private boolean over;

  private Duel(
      MachineProbe probe,
      PrintStream out,
      PrintStream err,
      ResultFolder folder,
      JmhArguments jmh,
      DuelRecord record)
      throws IOException {
    this.probe = probe;
    this.out = out;
    this.err = err;
    this.folder = folder;
    this.jmh = jmh;
    this.record = record;
    String asked = Objects.requireNonNullElse(System.getenv(RUNTIME_DIRECTORY), "");
    ownsRuntime = asked.isEmpty();
    runtime = ownsRuntime ? Files.createTempDirectory("mitosis-duel") : Path.of(asked);
    Files.createDirectories(runtime);
  }

  /** What both versions have of what was asked for. */
  private record Choice(SortedSet<Item> items, List<String> leftOut) {}

  /**
   * Prepares a duel, up to its folder.
   *
   * @throws IllegalArgumentException if neither version has what is asked for
   */
  static Duel start(
      DuelCommand.Request request, MachineProbe probe, PrintStream out, PrintStream err)
      throws IOException {
    JmhLock.ofThisProcess().requireFree();
    MergedRun.Start start = MergedRun.Start.of(probe);
    Instant now = Instant.now();
    // To list benchmarks takes no daemon, and so no directory of one.
    BlockRunner runner = new BlockRunner(Path.of(System.getProperty("java.io.tmpdir")));
    Choice choice = choose(request, runner);
    String oldVersion = runner.version(request.old());
    String newVersion = runner.version(request.now());
    ResultFolder folder = folder(now, request, probe);
    Files.deleteIfExists(folder.histograms()); // a duel has those of its versions
    Map<Side, Contender> contenders = new EnumMap<>(Side.class);
    for (Side side : Side.values()) {
      Path source = side == Side.OLD ? request.old() : request.now();
      Path copy = jar(folder, side);
      Files.createDirectories(copy.getParent());
      Files.copy(source, copy);
      contenders.put(
          side,
          new Contender(
              source.toString(),
              Contender.sha256(copy),
              side == Side.OLD ? oldVersion : newVersion));
    }
    DuelRecord record =
        new DuelRecord(
            DuelRecord.SCHEMA,
            request.seed(),
            request.forks(),
            request.all(),
            request.jmh().given(),
            contenders.get(Side.OLD),
            contenders.get(Side.NEW),
            choice.leftOut(),
            start,
            List.of(now.toString()),
            DuelRecord.open(Turn.order(request.seed(), choice.items(), request.forks())),
            List.of());
    return new Duel(probe, out, err, folder, request.jmh(), record);
  }

  /** Prepares the rest of a duel. */
  static Duel resume(Path path, MachineProbe probe, PrintStream out, PrintStream err)
      throws IOException {
    DuelRecord record = DuelRecord.read(path).resumed(Instant.now().toString());
    ResultFolder folder = ResultFolder.existing(path);
    if (record.open() > 0) {
      for (Side side : Side.values()) {
        Path jar = jar(folder, side);
        if (Files.notExists(jar) || !Contender.sha256(jar).equals(record.of(side).sha256())) {
          throw new IOException(
              jar + " is not the jar with which the duel started: start a new duel");
        }
      }
      JmhLock.ofThisProcess().requireFree();
    }
    try {
      return new Duel(probe, out, err, folder, JmhArguments.of(record.jmhArguments()), record);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "this version does not continue the duel in " + path + ": " + e.getMessage(), e);
    }
  }

  private static ResultFolder folder(Instant now, DuelCommand.Request request, MachineProbe probe)
      throws IOException {
    String exact = System.getProperty(ResultFolder.PROPERTY, "");
    if (!exact.isEmpty()) {
      return ResultFolder.createExactly(Path.of(exact).toAbsolutePath().normalize());
    }
    return ResultFolder.create(
        Path.of("results").toAbsolutePath(),
        now,
        Objects.requireNonNullElse(probe.text("proc/sys/kernel/hostname"), ""),
        System.getProperty(
            ResultFolder.NAME_PROPERTY,
            "duel-" + ResultFolder.nameOf(request.jmh().options().getIncludes())));
  }

  private static Path jar(ResultFolder folder, Side side) {
    // Names of equal length: the size of a command line moves a process's stack.
    return folder.path().resolve("jars").resolve(side + ".jar");
  }

  private static Choice choose(DuelCommand.Request request, BlockRunner runner) throws IOException {
    JmhArguments jmh = request.jmh();
    List<Item> old = runner.list(request.old(), jmh.listing()).items();
    List<Item> now = runner.list(request.now(), jmh.listing()).items();
    for (List<Item> side : List.of(old, now)) {
      if (side.isEmpty()) {
        throw new IllegalArgumentException(
            "no benchmark of "
                + (side == old ? request.old() : request.now())
                + " matches "
                + String.join(" ", jmh.options().getIncludes())
                + ": './bench -l' lists them");
      }
    }
    SortedSet<String> parameters =
        Stream.concat(old.stream(), now.stream())
            .flatMap(item -> item.parameters().keySet().stream())
            .collect(Collectors.toCollection(TreeSet::new));
    try {
      Selection.requireParameters(jmh.given(), parameters);
      Selection.of(jmh.options()).requireParameters(jmh.options());
    } catch (MissingPrerequisite e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    Pairs pairs = Pairs.of(old, now);
    if (pairs.old().isEmpty()) {
      throw new IOException(
          "the two versions have no benchmark with equal parameters in common: "
              + String.join("; ", pairs.leftOut()));
    }
    List<String> leftOut = new ArrayList<>(pairs.leftOut());
    SortedSet<Item> items = fitting(pairs.old().keySet(), jmh, leftOut);
    List<String> missing =
        RunComparison.CONTROLS.stream()
            .filter(
                name -> items.stream().noneMatch(item -> item.benchmark().equals(PACKAGE + name)))
            .map(name -> PACKAGE + name)
            .toList();
    if (!missing.isEmpty()) {
      Pairs controls =
          Pairs.of(
              runner.list(request.old(), jmh.listing(missing)).items(),
              runner.list(request.now(), jmh.listing(missing)).items());
      for (String name : missing) {
        // One size is enough: the first, which is the smallest by default.
        controls.old().entrySet().stream()
            .filter(item -> item.getKey().benchmark().equals(name))
            .min(Map.Entry.comparingByKey(bySize()))
            .ifPresent(item -> items.add(item.getKey()));
      }
    }
    return new Choice(items, List.copyOf(leftOut));
  }

  private static Comparator<Item> bySize() {
    return Comparator.comparing(
        item -> Long.parseLong(item.parameters().getOrDefault(ParameterNames.MEMORY_SIZE, "0")));
  }

  /** Leaves out the defaults that this machine cannot run, as each block would on its own. */
  private static SortedSet<Item> fitting(Set<Item> items, JmhArguments jmh, List<String> leftOut) {
    Selection selection = Selection.of(jmh.options());
    if (selection.isEmpty()) {
      return new TreeSet<>(items);
    }
    Selection.Functions functions = selection.functions(jmh.options()).and(selection.possible());
    Selection left = selection.without(functions.excluded());
    Selection.Sizes sizes = left.memorySizes(jmh.options(), MachineMemory.read());
    leftOut.addAll(functions.leftOut());
    leftOut.addAll(sizes.leftOut());
    SortedSet<Item> fitting = new TreeSet<>(items);
    fitting.removeIf(
        item ->
            functions.excluded().contains(item.benchmark())
                || isLeftOut(item, ParameterNames.MEMORY_SIZE, sizes.override())
                || isLeftOut(item, ParameterNames.FUNCTION_NAME, functions.override()));
    return fitting;
  }

  /** Whether a value is none of those that are left; an empty list leaves all. */
  private static boolean isLeftOut(Item item, String parameter, List<String> left) {
    String value = item.parameters().get(parameter);
    return value != null && !left.isEmpty() && !left.contains(value);
  }

  /** Runs the blocks, and compares. */
  ExitCode run() throws IOException {
    Interruption interruption = Interruption.watch(this::keepInterrupted);
    try {
      save();
      introduce();
      listBoth();
      blocks(interruption);
    } catch (IOException | RuntimeException e) {
      awaitOwnEnd(interruption, INTERRUPTION_MS);
      interruption.over();
      keep(Outcome.INTERRUPTED);
      deleteRuntime();
      if (e instanceof RuntimeException bug && !(e instanceof MissingPrerequisite)) {
        throw bug;
      }
      throw new IOException(
          e.getMessage() + "; go on with 'duel --resume " + folder.path() + "'", e);
    }
    interruption.over();
    return end();
  }

  private void introduce() throws IOException {
    for (Side side : Side.values()) {
      Contender one = record.of(side);
      say(side + ": " + one.source() + ", " + one.version());
      if (Contender.isStale(Path.of(one.source()))) {
        say(
            "warning: "
                + side
                + ": the sources beside this jar are newer; it is measured as it is");
      }
    }
    if (record.oldVersion().sha256().equals(record.newVersion().sha256())) {
      say("both are the same jar: what differs is noise");
    }
    record.leftOut().forEach(what -> say("left out: " + what));
    record.start().warnings().forEach(warning -> say("warning: " + warning));
    say(
        String.format(
            Locale.ROOT,
            "%d benchmarks, %d forks of each version, seed %d: %d blocks in %s",
            record.blocks().size() / record.forks() / Side.values().length,
            record.forks(),
            record.seed(),
            record.blocks().size(),
            folder.path()));
  }

  /** Asks the versions for their names of what they have in common. */
  private void listBoth() throws IOException {
    if (record.open() == 0) {
      return;
    }
    List<String> benchmarks =
        record.blocks().stream().map(block -> block.turn().item().benchmark()).distinct().toList();
    BlockRunner runner = new BlockRunner(runtime);
    for (Side side : Side.values()) {
      listings.put(side, runner.list(jar(folder, side), jmh.listing(benchmarks)));
    }
    Pairs pairs = Pairs.of(listings.get(Side.OLD).items(), listings.get(Side.NEW).items());
    names.put(Side.OLD, pairs.old());
    names.put(Side.NEW, pairs.now());
  }

  private void blocks(Interruption interruption) throws IOException {
    BlockRunner runner = new BlockRunner(runtime);
    long startNs = System.nanoTime();
    long done = 0;
    for (int i = 0; i < record.blocks().size(); i++) {
      DuelRecord.Block block = record.blocks().get(i);
      if (!block.outcome().equals(DuelRecord.OPEN)) {
        continue;
      }
      long elapsedNs = System.nanoTime() - startNs;
      say(progress(i, done == 0 ? -1 : elapsedNs / done * record.open()));
      Turn turn = block.turn();
      BlockRunner.delete(results(i));
      Double load = load();
      BlockRunner.Ending ending =
          runner.run(
              jar(folder, turn.side()),
              turn.side(),
              jmh.block(names.get(turn.side()).get(turn.item()), listings.get(turn.side())),
              results(i),
              log(i));
      if (!ending.isComplete()) {
        awaitOwnEnd(interruption, ending.killed() ? SIGNAL_MS : INTERRUPTION_MS);
      }
      interruption.check();
      if (ending.refused()) {
        throw new IOException("the " + turn.side() + " version does not run: " + ending.problem());
      }
      note(i, ending.problem(), load);
      done++;
    }
  }

  private synchronized void note(int index, String problem, Double load) throws IOException {
    Turn turn = record.blocks().get(index).turn();
    if (problem.isEmpty()) {
      requireSameEnvironment(turn.side(), results(index));
      record = record.with(index, DuelRecord.COMPLETE, load);
    } else {
      say(turn.side() + ": " + turn.item() + " failed: " + problem);
      long before = record.open();
      record = record.withFailure(index, Instant.now().toString(), problem, load);
      if (before - record.open() > 1) {
        say(turn.item() + " has failed twice with the " + turn.side() + " version: given up");
      }
    }
    save();
  }

  /**
   * Results of two environments are never mixed.
   *
   * @throws MissingPrerequisite if a fork had another one than the first of its version
   */
  private void requireSameEnvironment(Side side, Path results) throws IOException {
    Environment now = Run.read(results).environment().orElse(null);
    Environment before = first.get(side);
    if (before == null && !record.complete(side).isEmpty()) {
      before = Run.read(results(record.complete(side).get(0))).environment().orElse(null);
    }
    first.put(side, before == null ? now : before);
    if (now != null && before != null) {
      now.continuing(before);
    }
  }

  private static void awaitOwnEnd(Interruption interruption, long forMs) {
    long startNs = System.nanoTime();
    while (System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(forMs)) {
      interruption.check();
      try {
        Thread.sleep(POLL_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private String progress(int index, long leftNs) {
    Turn turn = record.blocks().get(index).turn();
    String left = "";
    if (leftNs >= 0) {
      long seconds = TimeUnit.NANOSECONDS.toSeconds(leftNs);
      left =
          seconds < 90
              ? "; about " + seconds + " s left"
              : "; about " + (seconds + 30) / 60 + " min left";
    }
    return String.format(
        Locale.ROOT,
        "block %d of %d, round %d of %d, %s: %s%s",
        index + 1,
        record.blocks().size(),
        turn.round(),
        record.forks(),
        turn.side(),
        turn.item(),
        left);
  }

  private Double load() {
    MachineFacts.State state = probe.state();
    return state.load() == null ? null : state.load().get(0);
  }

  private Path blockFolder() {
    return folder.path().resolve(ResultFolder.BLOCKS);
  }

  private Path results(int index) {
    return blockFolder().resolve(name(index));
  }

  private Path log(int index) {
    return blockFolder().resolve(name(index) + ".log");
  }

  private String name(int index) {
    return String.format(
        Locale.ROOT, "%05d-%s", index + 1, record.blocks().get(index).turn().side());
  }

  private void save() throws IOException {
    Files.createDirectories(blockFolder());
    folder.replace(folder.path().resolve(DuelRecord.FILE), record.toJson());
  }

  /** Puts the forks of each version together. */
  private synchronized void keep(Outcome outcome) throws IOException {
    for (Side side : Side.values()) {
      List<Integer> complete = record.complete(side);
      if (complete.isEmpty()) {
        continue;
      }
      List<String> failed = record.incomplete(side);
      boolean ended = outcome != Outcome.INTERRUPTED;
      MergedRun.write(
          sideFolder(side),
          complete.stream().map(this::results).toList(),
          new MergedRun.Account(
              record.forks(),
              ended && !failed.isEmpty() ? Outcome.FAILED : outcome,
              ended ? failed : List.of(),
              record.failures(),
              record.leftOut(),
              Stream.concat(Stream.of("duel"), record.arguments().stream()).toList(),
              record.start()));
    }
  }

  private Path sideFolder(Side side) {
    return folder.path().resolve(side.toString());
  }

  private synchronized void keepInterrupted() {
    if (over) {
      return;
    }
    over = true;
    try {
      keep(Outcome.INTERRUPTED);
      deleteRuntime();
      say(
          "interrupted: "
              + (record.blocks().size() - record.open())
              + " of "
              + record.blocks().size()
              + " blocks are kept in "
              + folder.path()
              + "; go on with 'duel --resume "
              + folder.path()
              + "'");
    } catch (IOException e) {
      say("interrupted: " + e.getMessage());
    }
  }

  private void deleteRuntime() throws IOException {
    if (ownsRuntime) {
      BlockRunner.delete(runtime);
    }
  }

  private synchronized ExitCode end() throws IOException {
    keep(Outcome.COMPLETE);
    deleteRuntime();
    ExitCode code = ExitCode.DONE;
    Set<String> failed = new HashSet<>();
    for (Side side : Side.values()) {
      List<String> incomplete = record.incomplete(side);
      failed.addAll(incomplete);
      incomplete.forEach(name -> say(side + ": " + name + " lacks forks: see duel.json"));
    }
    if (failed.isEmpty()) {
      BlockRunner.delete(folder.path().resolve("jars"));
    } else {
      code = ExitCode.FAILED;
      say("run what failed again with 'duel --resume " + folder.path() + "'");
    }
    for (Side side : Side.values()) {
      tellLoad(side);
    }
    if (Files.exists(sideFolder(Side.OLD)) && Files.exists(sideFolder(Side.NEW))) {
      code = code.or(compare());
    } else {
      say("a version gave no result at all, so there is nothing to compare");
    }
    say("results: " + folder.path());
    return code;
  }

  private ExitCode compare() {
    try {
      return new CompareCommand(out, err)
          .compare(List.of(sideFolder(Side.OLD), sideFolder(Side.NEW)));
    } catch (IOException e) {
      say(FileFailure.message(e));
      return ExitCode.FAILED;
    }
  }

  private void tellLoad(Side side) {
    List<Double> loads = record.loads(side);
    if (!loads.isEmpty()) {
      say(
          String.format(
              Locale.ROOT,
              "%s: load before its forks %.2f (%.2f to %.2f), that of the other forks included",
              side,
              loads.get(loads.size() / 2),
              loads.get(0),
              loads.get(loads.size() - 1)));
    }
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }
}
