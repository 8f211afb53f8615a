// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.mitosis.Backend;
import org.mitosis.Child;
import org.mitosis.Operation;
import org.mitosis.posix.LibMitosis;
import org.mitosis.posix.LibMitosis.ChildStruct;
import org.mitosis.spi.Failure;

/**
 * The one hook that this JVM has in libmitosis. It runs in a child, in the thread that prepares,
 * before the call returns, and keeps what the child is told.
 */
final class ResumedChild {
  /** Reachable from here, as libmitosis calls it. */
  private static final LibMitosis.ResumeHook HOOK = ResumedChild::keep;

  private static boolean listening;
  private static volatile Child told;

  private ResumedChild() {}

  /** Registers the hook, once per process and in advance of its snapshots. */
  static synchronized void listen() {
    if (!listening) {
      try (Memory nothing = new Memory(ChildStruct.SIZEOF)) {
        nothing.clear();
        keep(nothing, null); // loads here what a child needs
        told = null;
      }
      int result = LibMitosis.mitosis_on_resume(HOOK, null);
      if (result < 0) {
        throw Failure.of(Backend.USER, Operation.OPEN, -result, LibMitosis.error()).build();
      }
      listening = true;
    }
  }

  /** What this process was told since it last asked; null if it is no child. */
  static Child take() {
    Child child = told;
    told = null;
    return child;
  }

  private static void keep(Pointer struct, Pointer argument) {
    ByteBuffer random =
        ByteBuffer.wrap(struct.getByteArray(ChildStruct.SEED, LibMitosis.MITOSIS_SEED_SIZE));
    byte[] seed = new byte[Child.SEED_BYTES];
    random.get(seed);
    told =
        new Child(
            struct.getInt(ChildStruct.HANDLER_ID),
            struct.getLong(ChildStruct.GENERATION),
            struct.getLong(ChildStruct.NUMBER),
            struct.getInt(ChildStruct.MACHINE_ID),
            new UUID(random.getLong(), random.getLong()),
            seed);
  }
}
