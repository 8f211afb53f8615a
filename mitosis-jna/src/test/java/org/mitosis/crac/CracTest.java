// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mitosis.Backend;
import org.mitosis.DaemonOfTheTests;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;

/** What applications see of org.crac on this implementation. */
@Timeout(60)
@ExtendWith(DaemonOfTheTests.class)
class CracTest {
  private static final int HANDLER_ID = ThreadLocalRandom.current().nextInt(1 << 20, 1 << 30);

  private final List<String> calls = new ArrayList<>();

  /** Resources are held weakly by org.crac: for as long as a test runs they must stay. */
  private final List<org.crac.Resource> resources = new ArrayList<>();

  @BeforeAll
  static void choose() {
    System.setProperty("org.crac.Core.Compat", "org.mitosis.crac");
    System.setProperty(Core.HANDLER_ID_PROPERTY, Integer.toString(HANDLER_ID));
    System.setProperty(Mitosis.BACKEND_PROPERTY, "user");
  }

  @AfterAll
  static void drop() {
    System.clearProperty(Core.HANDLER_ID_PROPERTY);
    System.clearProperty(Mitosis.BACKEND_PROPERTY);
    Core.drop();
  }

  @AfterEach
  void forget() {
    // Resources of other tests must not fail in this JVM's later snapshots.
    Core.forget();
  }

  @Test
  void resourcesAreToldInReverseOrderAndThenInOrder() throws Exception {
    register("a", "");
    register("b", "");
    org.crac.Core.checkpointRestore();
    assertEquals(List.of("before b", "before a", "after a", "after b"), calls);
    assertEquals(1, snapshots());
  }

  @Test
  void secondCheckpointReplacesTheFirst() throws Exception {
    org.crac.Core.checkpointRestore();
    org.crac.Core.checkpointRestore();
    assertEquals(1, snapshots());
  }

  @Test
  void everyResourceIsToldWhateverOthersThrow() {
    register("a", "before a");
    register("b", "");
    register("c", "before c");
    org.crac.CheckpointException e =
        assertThrows(org.crac.CheckpointException.class, org.crac.Core::checkpointRestore);
    assertEquals(
        List.of("before c", "before b", "before a", "after a", "after b", "after c"), calls);
    assertEquals(List.of("before c", "before a"), messages(e));
  }

  @Test
  void failuresAfterAFailedCheckpointComeWithIt() {
    register("a", "before a");
    register("b", "after b");
    org.crac.CheckpointException e =
        assertThrows(org.crac.CheckpointException.class, org.crac.Core::checkpointRestore);
    assertEquals(List.of("before a", "after b"), messages(e));
  }

  @Test
  void failureAfterTheSnapshotIsARestoreException() {
    register("a", "after a");
    register("b", "");
    org.crac.RestoreException e =
        assertThrows(org.crac.RestoreException.class, org.crac.Core::checkpointRestore);
    assertEquals(List.of("after a"), messages(e));
    assertEquals("after b", calls.get(calls.size() - 1));
    assertEquals(1, snapshots());
  }

  @Test
  void errorOfAResourceKeepsNoOtherFromBeingTold() {
    register("a", "error before a");
    register("b", "error after b");
    register("c", "");
    org.crac.CheckpointException e =
        assertThrows(org.crac.CheckpointException.class, org.crac.Core::checkpointRestore);
    assertEquals(
        List.of("before c", "before b", "before a", "after a", "after b", "after c"), calls);
    assertEquals(List.of("before a", "after b"), messages(e));
    assertInstanceOf(LinkageError.class, e.getSuppressed()[0]);
  }

  @Test
  void whatAContextCollectsIsPassedOnOneByOne() {
    org.crac.Resource context =
        new org.crac.Context<org.crac.Resource>() {
          @Override
          public void beforeCheckpoint(org.crac.Context<? extends org.crac.Resource> above)
              throws org.crac.CheckpointException {
            org.crac.CheckpointException both = new org.crac.CheckpointException();
            both.addSuppressed(new IllegalStateException("first"));
            both.addSuppressed(new IllegalStateException("second"));
            throw both;
          }

          @Override
          public void afterRestore(org.crac.Context<? extends org.crac.Resource> above) {}

          @Override
          public void register(org.crac.Resource resource) {}
        };
    resources.add(context);
    org.crac.Core.getGlobalContext().register(context);
    org.crac.CheckpointException e =
        assertThrows(org.crac.CheckpointException.class, org.crac.Core::checkpointRestore);
    assertEquals(List.of("first", "second"), messages(e));
  }

  @Test
  void handlerIdInUseIsTheCauseOfAFailedCheckpoint() {
    Core.drop();
    try (Device other = Mitosis.open(Backend.USER)) {
      other.prepare(HANDLER_ID);
      register("a", "");
      org.crac.CheckpointException e =
          assertThrows(org.crac.CheckpointException.class, org.crac.Core::checkpointRestore);
      MitosisException cause = assertInstanceOf(MitosisException.class, e.getSuppressed()[0]);
      assertEquals(Errno.EEXIST, cause.errno(), cause.getMessage());
      assertEquals(List.of("before a", "after a"), calls);
    }
  }

  @Test
  void anySnapshotTellsTheResources() {
    register("a", "");
    try (Device device = Mitosis.open(Backend.USER)) {
      device.prepare(HANDLER_ID + 1);
    }
    assertEquals(List.of("before a", "after a"), calls);
  }

  @Test
  void resourceThatIsNotReachableAnyMoreIsForgotten() throws Exception {
    WeakReference<org.crac.Resource> gone = new WeakReference<>(register("a", ""));
    resources.clear();
    for (int i = 0; i < 100 && gone.get() != null; i++) {
      System.gc();
      Thread.sleep(1);
    }
    assertEquals(null, gone.get());
    register("b", "");
    org.crac.Core.checkpointRestore();
    assertTrue(calls.stream().noneMatch(call -> call.endsWith(" a")), calls::toString);
  }

  private static long snapshots() {
    try (Device device = Mitosis.open(Backend.USER)) {
      return device.list().stream().filter(snapshot -> snapshot.handlerId() == HANDLER_ID).count();
    }
  }

  private static List<String> messages(Throwable e) {
    return Arrays.stream(e.getSuppressed()).map(Throwable::getMessage).toList();
  }

  /**
   * A resource that notes its calls; the one called like the failure throws, after "error " an
   * Error.
   */
  private org.crac.Resource register(String name, String failure) {
    org.crac.Resource resource =
        new org.crac.Resource() {
          @Override
          public void beforeCheckpoint(org.crac.Context<? extends org.crac.Resource> context)
              throws Exception {
            note("before " + name, failure);
          }

          @Override
          public void afterRestore(org.crac.Context<? extends org.crac.Resource> context)
              throws Exception {
            note("after " + name, failure);
          }
        };
    resources.add(resource);
    org.crac.Core.getGlobalContext().register(resource);
    return resource;
  }

  private void note(String call, String failure) throws Exception {
    calls.add(call);
    if (failure.equals("error " + call)) {
      throw new NoClassDefFoundError(call);
    }
    if (call.equals(failure)) {
      throw new Exception(call);
    }
  }
}
