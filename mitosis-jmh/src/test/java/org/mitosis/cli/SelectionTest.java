// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.setting.MissingPrerequisite;
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
  @ValueSource(
      strings = {
        "transport=udp",
        "protection=strong",
        "resumeMode=fast",
        "prefetch=3",
        "container=fat"
      })
  void aParameterWithAValueThatItCannotHaveIsRefused(String parameter) {
    String message =
        assertThrows(MissingPrerequisite.class, () -> require(true, "ForkResume", "-p", parameter))
            .getMessage();
    String[] nameAndValue = parameter.split("=");
    assertTrue(message.startsWith(nameAndValue[0] + " must be "), message);
    assertTrue(message.endsWith(", got '" + nameAndValue[1] + "'"), message);
  }

  @Test
  void childrenNeedTheRightToUserfaultfdUnlessTheyAreClones() throws Exception {
    assertEquals(
        "children get their pages by userfaultfd, which is not for you",
        assertThrows(MissingPrerequisite.class, () -> require(false, "ForkResume|NilCall"))
            .getMessage());
    require(false, "NilCall|ForkPrepare|EmptyContainer");
    require(false, "ForkResume", "-p", "resumeMode=clone", "-p", "transport=local");
    require(true, "ForkResume");
  }

  @Test
  void nothingMatchesAnUnknownName() throws Exception {
    assertTrue(Selection.of(new CommandLineOptions("NoSuchBenchmark")).isEmpty());
  }

  private static String last(List<String> values) {
    return values.get(values.size() - 1);
  }

  private static Selection.Sizes sizes(MachineMemory memory, String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    return Selection.of(options).memorySizes(options, memory);
  }

  private static void require(boolean userfaultfd, String... args) throws Exception {
    CommandLineOptions options = new CommandLineOptions(args);
    Selection.of(options)
        .require(
            options,
            new BackendChoice(Backend.USER, "of this test", List.of()),
            new UserfaultfdRight(userfaultfd, userfaultfd ? "for you" : "not for you"));
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
