// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.options.CommandLineOptions;

class SelectionTest {
  private static final MachineMemory PLENTY = new MachineMemory(1L << 40, "plenty");

  @Test
  void withoutASizeJmhKeepsItsDefaults() throws Exception {
    Selection.Sizes sizes = sizes(PLENTY, "ForkPrepare.workingSet");
    assertEquals(List.of(), sizes.override());
    assertEquals(List.of(), sizes.leftOut());
  }

  @Test
  void sizesAreGivenToJmhInBytesOnce() throws Exception {
    assertEquals(
        List.of("1048576", "67108864", "1073741824"),
        sizes(PLENTY, "ForkPrepare", "-p", "memorySize=1m,64m,1g,1048576,1024M").override());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "-64m", "huge", "", "1.5g", "64t"})
  void aSizeThatIsNoneIsRefused(String size) {
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> sizes(PLENTY, "ForkPrepare", "-p", "memorySize=1m," + size + ",1m"))
            .getMessage();
    assertTrue(message.startsWith("memorySize '" + size + "' is "), message);
  }

  @Test
  void aSizeAskedForThatDoesNotFitIsRefused() {
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> sizes(memory(512), "ForkPrepare", "-p", "memorySize=1m,1g"))
            .getMessage();
    assertTrue(message.startsWith("memorySize 1073741824 does not fit"), message);
  }

  @Test
  void defaultSizesThatDoNotFitAreLeftOutWithALineEach() throws Exception {
    Selection.Sizes sizes = sizes(memory(256), "ForkPrepare.workingSet");
    assertEquals("268435456", last(sizes.override()));
    assertEquals(8, sizes.override().size());
    assertEquals(2, sizes.leftOut().size());
    assertTrue(sizes.leftOut().get(0).startsWith("memorySize 536870912 does not fit"));
    assertTrue(sizes.leftOut().get(1).startsWith("memorySize 1073741824 does not fit"));
  }

  @Test
  void everyThreadTakesTheSizeOnce() throws Exception {
    assertEquals(
        "67108864",
        last(sizes(memory(256), "ForkPrepare.workingSet", "-t", "4").override()),
        "four times 64 MiB");
    assertThrows(
        MissingPrerequisite.class,
        () -> sizes(memory(256), "ForkPrepare", "-t", "2", "-p", "memorySize=256m"));
  }

  @Test
  void aMachineThatHoldsNoSizeIsRefused() {
    assertThrows(MissingPrerequisite.class, () -> sizes(memory(0), "ForkPrepare.workingSet"));
  }

  @Test
  void aBenchmarkWithoutTheParameterLeavesItToJmh() throws Exception {
    assertEquals(
        new Selection.Sizes(List.of(), List.of()),
        sizes(memory(0), "NilCall", "-p", "memorySize=nonsense"));
  }

  @Test
  void expectsEveryModeAndEveryCombinationOfParameters() throws Exception {
    assertEquals(
        Set.of(
            "SampleTime ForkPrepare.workingSet memorySize=4096",
            "SampleTime ForkPrepare.workingSet memorySize=8192",
            "SingleShotTime ForkPrepare.workingSet memorySize=4096",
            "SingleShotTime ForkPrepare.workingSet memorySize=8192"),
        items("ForkPrepare.workingSet", "-bm", "ss,sample", "-p", "memorySize=4096,8192"));
    assertEquals(Set.of("AverageTime NilCall.c", "AverageTime NilCall.jna"), items("NilCall"));
    assertEquals(8, items("NilCall", "-bm", "all").size());
    assertEquals(
        MemorySize.ARTIFACT_SIZES.stream()
            .map(size -> "AverageTime Baseline.fork memorySize=" + size)
            .collect(Collectors.toSet()),
        items("Baseline.fork"));
  }

  @Test
  void copiesOfTheWorkingSetNeedTheirRoom() throws Exception {
    assertEquals(
        List.of("67108864"),
        sizes(memory(200), "\\.Execution\\.", "-p", "memorySize=64m").override());
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> sizes(memory(190), "\\.Execution\\.", "-p", "memorySize=64m"))
            .getMessage();
    assertTrue(message.contains("it needs 384 MiB with copies of its pages"), message);
  }

  @ParameterizedTest
  @CsvSource({
    "ForkResume, transport=udp",
    "ForkResume, protection=strong",
    "ForkResume, resumeMode=fast",
    "ForkResume, prefetch=3",
    "ForkResume, container=fat",
    "TouchRatio, touchRatio=101",
    "PeakThroughput, seconds=soon",
    "PeakThroughput, loops=0",
    "PeakThroughput, childMachines=65",
    "PeakThroughput, rate=1.5",
    "ForkPrepare.threads, threads=0",
    "ForkPrepare.threads, threadWork=sleep",
    "ForkResume.threads, files=-1",
    "Execution.jvm, calls=0",
    "Memory.jvm, children=1001",
    "Burst.workingSet, children=0",
    "Burst.workingSet, held=-1",
    "Burst.workingSet, childWork=none",
    "FirstResult.jvm, heap=big",
    "LoadSpike.workingSet, trace=nothing",
    "LoadSpike.workingSet, count=0",
    "LoadSpike.workingSet, speed=slow"
  })
  void aParameterWithAValueThatItCannotHaveIsRefused(String benchmark, String parameter) {
    String message =
        assertThrows(MissingPrerequisite.class, () -> requireParameters(benchmark, "-p", parameter))
            .getMessage();
    String[] nameAndValue = parameter.split("=");
    assertTrue(message.startsWith(nameAndValue[0] + " must be "), message);
    assertTrue(message.endsWith(", got '" + nameAndValue[1] + "'"), message);
  }

  @ParameterizedTest
  @CsvSource({
    "ForkPrepare.function, functionName=heloworld, helloworld",
    "FirstResult.jvm, javaFunction=jsn, json"
  })
  void aMistypedFunctionIsToldWithWhatWasMeant(String benchmark, String parameter, String meant) {
    String message =
        assertThrows(MissingPrerequisite.class, () -> requireParameters(benchmark, "-p", parameter))
            .getMessage();
    assertTrue(message.endsWith(" (did you mean '" + meant + "'?)"), message);
  }

  /** A parameter that nobody checks before a run would fail in each fork. */
  @Test
  void everyParameterOfEveryBenchmarkIsChecked() throws Exception {
    Set<String> unchecked = new TreeSet<>();
    for (BenchmarkListEntry entry : Selection.of(new CommandLineOptions("mitosis")).entries()) {
      for (String name : entry.getParams().orElse(Map.of()).keySet()) {
        try {
          requireParameters(
              "^" + Pattern.quote(entry.getUsername()) + "$", "-p", name + "=no such value");
          unchecked.add(entry.getUserClassQName() + " " + name);
        } catch (MissingPrerequisite e) {
          assertTrue(e.getMessage().contains("no such value"), e.getMessage());
        }
      }
    }
    assertEquals(Set.of(), unchecked);
  }

  @ParameterizedTest
  @CsvSource({
    "resumeMode=clone, transport=tcp, 'choose transport=local, or resumeMode=replica'",
    "childMachines=2, transport=local, choose transport=tcp"
  })
  void whatDoesNotGoTogetherIsRefused(String one, String other, String remedy) {
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> requireParameters("PeakThroughput.workingSet", "-p", one, "-p", other))
            .getMessage();
    assertTrue(message.endsWith(remedy), message);
  }

  @Test
  void pagesByRdmaAreNotSealed() throws Exception {
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> requireParameters("ForkResume", "-p", "transport=tcp,rdma"))
            .getMessage();
    assertTrue(message.endsWith("give -p protection=handshake"), message);
    requireParameters("ForkResume", "-p", "transport=rdma", "-p", "protection=handshake");
  }

  @Test
  void whatIsNotCountedIsToldOnce() throws Exception {
    String burst = "org.mitosis.benchmark.Burst.workingSet";
    assertEquals(
        List.of(burst + ": bytes on the parent's link, as there is no ss"),
        linkTraffic("there is no ss", "Burst.workingSet|NilCall").leftOut());
    assertEquals(List.of(), linkTraffic("there is no ss", "Burst.workingSet").excluded());
    assertEquals(List.of(), linkTraffic("", "Burst.workingSet").leftOut());
    assertEquals(List.of(), linkTraffic("there is no ss", "NilCall|ForkResume").leftOut());
    assertEquals(
        List.of(),
        linkTraffic("there is no ss", "Burst.workingSet", "-p", "transport=local").leftOut());
  }

  private static Selection.Functions linkTraffic(String obstacle, String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    return Selection.of(options).linkTraffic(options, obstacle);
  }

  @Test
  void whoseChildrenNeedUserfaultfdIsLeftOutUnlessTheyAreClones() throws Exception {
    String refusal = "children get their pages by userfaultfd, which is not for you";
    assertEquals(
        refusal,
        assertThrows(MissingPrerequisite.class, () -> userfaultfd(false, "ForkResume"))
            .getMessage());
    Selection.Functions functions = userfaultfd(false, "NilCall|ForkResume.workingSet");
    String resume = "org.mitosis.benchmark.ForkResume.workingSet";
    assertEquals(List.of(resume), functions.excluded());
    assertEquals(List.of(resume + ": " + refusal), functions.leftOut());
    List<String> clones = List.of("ForkResume", "-p", "resumeMode=clone", "-p", "transport=local");
    assertEquals(List.of(), userfaultfd(false, clones.toArray(String[]::new)).excluded());
    String[] chosen = {"NilCall|ForkResume.workingSet", "-p", "resumeMode=auto,clone"};
    assertEquals(List.of(resume), userfaultfd(false, chosen).excluded());
    chosen = (String.join(" ", chosen) + " -p transport=local").split(" ");
    assertEquals(List.of(), userfaultfd(false, chosen).excluded());
    assertEquals(List.of(), userfaultfd(false, "NilCall|EmptyContainer").excluded());
    assertEquals(List.of(), userfaultfd(true, "ForkResume").excluded());
  }

  @Test
  void aParameterOfNoSelectedBenchmarkIsRefused() throws Exception {
    Selection prepare = Selection.of(new CommandLineOptions("ForkPrepare.workingSet"));
    prepare.requireKnownParameters(List.of("-p", "memorySize=1m", "-pmemorySize=4m", "-prof=gc"));
    String message =
        assertThrows(
                MissingPrerequisite.class,
                () -> prepare.requireKnownParameters(List.of("-p", "memSize=1m")))
            .getMessage();
    assertEquals(
        "no selected benchmark has the parameter memSize (did you mean 'memorySize'?); they have"
            + " memorySize",
        message);
    assertThrows(
        MissingPrerequisite.class,
        () -> prepare.requireKnownParameters(List.of("-p", "transport=tcp")));
  }

  @Test
  void strictContainersAreLeftOutWhereTheyCannotBeHad() throws Exception {
    Selection selection = Selection.of(new CommandLineOptions("EmptyContainer"));
    Selection.Functions functions = selection.possible();
    String refusal = null;
    try {
      Preflight.requireContainer(ContainerKind.STRICT);
    } catch (MissingPrerequisite e) {
      refusal = e.getMessage();
    }
    String strict = "org.mitosis.benchmark.EmptyContainer.strict";
    assertEquals(refusal == null ? List.of() : List.of(strict), functions.excluded());
    assertEquals(
        refusal == null ? List.of() : List.of(strict + ": " + refusal), functions.leftOut());
    if (refusal != null) {
      Selection alone = Selection.of(new CommandLineOptions("EmptyContainer.strict"));
      assertEquals(refusal, assertThrows(MissingPrerequisite.class, alone::possible).getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "compar, compare",
    "doctr, doctor",
    "version, --version",
    "Forkprepare, ForkPrepare",
    "ForkPrepare.workingset$, ForkPrepare.workingSet"
  })
  void whatMatchesNothingIsToldWithWhatWasMeant(String given, String meant) throws Exception {
    CommandLineOptions options = new CommandLineOptions(given);
    assertTrue(Selection.of(options).isEmpty());
    assertEquals(
        "no benchmark matches '"
            + given
            + "' (did you mean '"
            + meant
            + "'?); 'list' lists the benchmarks, 'help' the commands",
        Selection.nothingMatches(options));
  }

  @Test
  void nothingIsMeantByAnUnknownName() throws Exception {
    CommandLineOptions options = new CommandLineOptions("NoSuchBenchmark");
    assertTrue(Selection.of(options).isEmpty());
    assertTrue(Selection.nothingMatches(options).startsWith("no benchmark matches 'NoSuch"));
    assertFalse(Selection.nothingMatches(options).contains("did you mean"));
  }

  @Test
  void aNativeProgramIsNoBenchmark() throws Exception {
    CommandLineOptions options = new CommandLineOptions("mitosis-child");
    assertTrue(
        Selection.nothingMatches(options).contains("folder that 'programs' prints"),
        Selection.nothingMatches(options));
  }

  @Test
  void theCacheOfALaterJdkIsLeftOutWithTheReason() throws Exception {
    Selection selection = Selection.of(new CommandLineOptions("FirstResult.jvm(AotCache|AppCds)"));
    Selection.Functions functions = selection.possible();
    if (Runtime.version().feature() >= 25) {
      assertEquals(List.of(), functions.excluded());
      return;
    }
    String benchmark = "org.mitosis.benchmark.FirstResult.jvmAotCache";
    assertEquals(List.of(benchmark), functions.excluded());
    String reason = last(functions.leftOut());
    assertTrue(reason.startsWith(benchmark + ": -XX:AOTCacheOutput is of JDK 25"), reason);
    assertTrue(reason.endsWith("run ./bench with JAVA_HOME=PATH of one"), reason);
    assertThrows(
        MissingPrerequisite.class,
        () -> Selection.of(new CommandLineOptions("FirstResult.jvmAotCache")).possible());
  }

  @Test
  void aCheckpointWithoutAJdkThatHasCracIsLeftOutByName() throws Exception {
    Selection.Functions functions =
        Selection.of(new CommandLineOptions("FirstResult.jvm(Crac|AppCds)")).possible();
    String benchmark = "org.mitosis.benchmark.FirstResult.jvmCrac";
    assertEquals(List.of(benchmark), functions.excluded());
    assertTrue(
        last(functions.leftOut()).startsWith(benchmark + ": there is no JDK with CRaC: name one"),
        last(functions.leftOut()));
  }

  private static String last(List<String> values) {
    return values.get(values.size() - 1);
  }

  private static Selection.Sizes sizes(MachineMemory memory, String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    return Selection.of(options).memorySizes(options, memory);
  }

  private static void requireParameters(String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    Selection.of(options).requireParameters(options);
  }

  @Test
  void clonesNeedNoUserfaultfdButWhatCannotBeOneIsLeftOut() throws Exception {
    List<String> left =
        userfaultfd(false, "NilRpc", "ForkResume.workingSet", "-p", "resumeMode=clone").excluded();
    assertEquals(List.of("org.mitosis.benchmark.NilRpc.c"), left);
    assertEquals(
        List.of("org.mitosis.benchmark.ForkResume.workingSet", "org.mitosis.benchmark.NilRpc.c"),
        userfaultfd(false, "NilRpc", "ForkResume.workingSet").excluded().stream()
            .sorted()
            .toList());
  }

  private static Selection.Functions userfaultfd(boolean allowed, String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    return Selection.of(options)
        .userfaultfd(
            options,
            new BackendChoice(Backend.USER, "of this test", List.of()),
            new UserfaultfdRight(allowed, allowed ? "for you" : "not for you"));
  }

  private static Set<String> items(String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    return Selection.of(options).items(options).stream()
        .map(item -> item.mode() + " " + item)
        .collect(Collectors.toSet());
  }

  /** Room for so many MiB beside the harness. */
  private static MachineMemory memory(long mebibytes) {
    return new MachineMemory(
        (mebibytes << 20) + MachineMemory.OVERHEAD_BYTES, "memory of this test");
  }
}
