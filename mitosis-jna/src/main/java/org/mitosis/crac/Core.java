// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.ForkRole;
import org.mitosis.HookException;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;

/** Where org.crac starts. */
public final class Core {
  /** System property: the handler id of the snapshots, 0 or greater; by default 73. */
  public static final String HANDLER_ID_PROPERTY = "mitosis.crac.handlerId";

  /**
   * System property: how long to wait for the JIT compiler to stand still, in ms; by default 0, for
   * not at all. See {@link Device#prepareWhenQuiet}.
   */
  public static final String QUIET_PROPERTY = "mitosis.crac.quietMs";

  private static final int DEFAULT_HANDLER_ID = 73;
  private static final int NONE = -1;
  private static final GlobalContext GLOBAL = new GlobalContext();

  /** Holds the last snapshot of this process. */
  private static volatile Device device;

  /** Its handler id. */
  private static volatile int heldId = NONE;

  static {
    // A child of another snapshot than Core's: the devices of its parent are closed in it.
    Mitosis.onChild(child -> returned(ForkRole.CHILD, NONE));
  }

  private Core() {}

  /** The context of the process. */
  public static Context<Resource> getGlobalContext() {
    return GLOBAL;
  }

  /**
   * Takes a snapshot of this process under the handler id of {@value #HANDLER_ID_PROPERTY}, in
   * place of the last one that it took here. Returns in the parent and in each child.
   *
   * @throws CheckpointException if there is no snapshot
   * @throws RestoreException if a resource failed after it
   */
  public static synchronized void checkpointRestore() throws CheckpointException, RestoreException {
    int handlerId = Integer.getInteger(HANDLER_ID_PROPERTY, DEFAULT_HANDLER_ID);
    int quietMs = Integer.getInteger(QUIET_PROPERTY, 0);
    try {
      if (device == null) {
        device = Mitosis.open();
      }
      dropLast();
      ForkRole role =
          quietMs == 0
              ? device.prepare(handlerId)
              : device.prepareWhenQuiet(handlerId, Duration.ofMillis(quietMs));
      returned(role, handlerId);
    } catch (HookException e) {
      List<Throwable> failures = new ArrayList<>(List.of(e.getCause()));
      failures.addAll(List.of(e.getSuppressed()));
      if (!e.prepared()) {
        throw GlobalContext.hold(new CheckpointException(), failures);
      }
      returned(e.role(), handlerId);
      throw GlobalContext.hold(new RestoreException(), failures);
    } catch (MitosisException | IllegalStateException | IllegalArgumentException e) {
      throw GlobalContext.hold(new CheckpointException(), List.of(e));
    }
  }

  /** For tests: drops the snapshot of this process. */
  static synchronized void drop() {
    dropLast();
    if (device != null) {
      device.close();
      device = null;
    }
  }

  /** For tests: forgets all resources. */
  static void forget() {
    GLOBAL.forget();
  }

  private static void dropLast() {
    if (heldId != NONE) {
      try {
        device.unprepare(heldId);
      } catch (MitosisException e) {
        if (e.errno() != Errno.ENOENT) { // it has been dropped already
          throw e;
        }
      }
      heldId = NONE;
    }
  }

  /** The devices of a child are closed: its own checkpoint opens one. */
  private static void returned(ForkRole role, int handlerId) {
    heldId = role == ForkRole.PARENT ? handlerId : NONE;
    if (role == ForkRole.CHILD) {
      device = null;
    }
  }
}
