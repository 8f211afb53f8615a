// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The order of hooks, and what a failure of one does. */
class ForkHooksTest {
  private static final Child CHILD =
      new Child(7, 2, 3, 4, new UUID(1, 2), new byte[Child.SEED_BYTES], ResumeTimes.UNKNOWN);
  private static final Supplier<Child> IN_PARENT = () -> null;
  private static final Supplier<Child> IN_CHILD = () -> CHILD;

  private final List<String> calls = new ArrayList<>();
  private final List<ForkHooks.Registration> registrations = new ArrayList<>();

  @AfterEach
  void takeBack() {
    registrations.forEach(ForkHooks.Registration::close);
  }

  @Test
  void hooksBeforeRunInReverseOrderAndThoseAfterInOrder() {
    register("a", "");
    register("b", "");
    assertEquals(ForkRole.PARENT, prepare(IN_PARENT));
    assertEquals(List.of("before b", "before a", "settle", "take", "parent a", "parent b"), calls);
  }

  @Test
  void childRunsItsOwnHooksAndIsToldWhoItIs() {
    register("a", "");
    List<Child> told = new ArrayList<>();
    registrations.add(Mitosis.onChild(told::add));
    assertEquals(ForkRole.CHILD, prepare(IN_CHILD));
    assertEquals(List.of("before a", "settle", "take", "child a"), calls);
    assertSame(CHILD, told.get(0));
  }

  @Test
  void failureBeforePreventsTheSnapshotAndTheParentStartsAgain() {
    register("a", "before a");
    register("b", "before b");
    HookException e = assertThrows(HookException.class, () -> prepare(IN_PARENT));
    assertEquals(List.of("before b", "before a", "parent a", "parent b"), calls);
    assertFalse(e.prepared());
    assertEquals(ForkRole.PARENT, e.role());
    assertEquals("before b", e.getCause().getMessage());
    assertEquals("before a", e.getSuppressed()[0].getMessage());
    assertTrue(e.getMessage().contains("there is no snapshot"), e.getMessage());
  }

  @Test
  void failureAfterIsToldWhenAllHaveRun() {
    register("a", "parent a");
    register("b", "child b");
    HookException inParent = assertThrows(HookException.class, () -> prepare(IN_PARENT));
    assertEquals("parent a", inParent.getCause().getMessage());
    assertTrue(inParent.prepared());
    assertEquals("parent b", calls.get(calls.size() - 1));
    HookException inChild = assertThrows(HookException.class, () -> prepare(IN_CHILD));
    assertEquals(ForkRole.CHILD, inChild.role());
    assertTrue(inChild.getMessage().contains(CHILD.toString()), inChild.getMessage());
  }

  @Test
  void failedSnapshotRunsTheHooksOfTheParent() {
    register("a", "parent a");
    MitosisException refused = MitosisException.of(Operation.PREPARE, Errno.EEXIST).build();
    MitosisException e =
        assertThrows(
            MitosisException.class,
            () ->
                prepare(
                    () -> {
                      throw refused;
                    }));
    assertSame(refused, e);
    assertEquals("parent a", e.getSuppressed()[0].getMessage());
  }

  @Test
  void hookThatIsTakenBackDoesNotRun() {
    register("a", "");
    registrations.forEach(ForkHooks.Registration::close);
    registrations.forEach(ForkHooks.Registration::close);
    prepare(IN_PARENT);
    assertEquals(List.of("settle", "take"), calls);
  }

  @Test
  void hookRegisteredTwiceIsTakenBackOnce() {
    ForkHooks.Hook hook = () -> calls.add("before");
    registrations.add(Mitosis.onPrepare(hook));
    ForkHooks.Registration second = Mitosis.onPrepare(hook);
    second.close();
    second.close();
    prepare(IN_PARENT);
    assertEquals(List.of("before", "settle", "take"), calls);
  }

  @Test
  void hooksRegisteredDuringAPrepareRunAtTheNextOne() {
    ForkHooks.Registration once = Mitosis.onPrepare(() -> register("a", ""));
    registrations.add(once);
    assertEquals(ForkRole.PARENT, prepare(IN_PARENT));
    assertEquals(List.of("settle", "take"), calls);
    once.close();
    calls.clear();
    assertEquals(ForkRole.CHILD, prepare(IN_CHILD));
    assertEquals(List.of("before a", "settle", "take", "child a"), calls);
  }

  @Test
  void hookTakenBackDuringAPrepareStillRunsAfterIt() {
    register("a", "");
    registrations.add(Mitosis.onPrepare(this::takeBack));
    assertEquals(ForkRole.PARENT, prepare(IN_PARENT));
    assertEquals(List.of("before a", "settle", "take", "parent a"), calls);
  }

  @Test
  void hookCannotPrepare() {
    registrations.add(Mitosis.onPrepare(() -> prepare(IN_PARENT)));
    HookException e = assertThrows(HookException.class, () -> prepare(IN_PARENT));
    assertTrue(e.getCause() instanceof IllegalStateException, e.toString());
    assertEquals(List.of(), calls);
  }

  @Test
  void seedIsACopyAndNotPrinted() {
    byte[] seed = new byte[Child.SEED_BYTES];
    seed[0] = 77;
    Child child = new Child(1, 1, 5, 6, new UUID(3, 4), seed, ResumeTimes.UNKNOWN);
    child.seed()[0] = 1;
    seed[0] = 2;
    assertArrayEquals(new byte[] {77, 0}, java.util.Arrays.copyOf(child.seed(), 2));
    assertEquals("child 00000000-0000-0003-0000-000000000004 of handler id 1", child.toString());
    assertThrows(
        IllegalArgumentException.class,
        () -> new Child(1, 1, 5, 6, new UUID(3, 4), new byte[15], ResumeTimes.UNKNOWN));
  }

  private ForkRole prepare(Supplier<Child> take) {
    return ForkHooks.around(
        () -> calls.add("settle"),
        () -> {
          calls.add("take");
          return take.get();
        });
  }

  /** Registers three hooks, which note their names; the one called like the failure fails. */
  private void register(String name, String failure) {
    registrations.add(Mitosis.onPrepare(() -> note("before " + name, failure)));
    registrations.add(Mitosis.onParent(() -> note("parent " + name, failure)));
    registrations.add(Mitosis.onChild(child -> note("child " + name, failure)));
  }

  private void note(String call, String failure) throws Exception {
    calls.add(call);
    if (call.equals(failure)) {
      throw new Exception(call);
    }
  }
}
