// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import org.mitosis.Backend;
import org.mitosis.Child;
import org.mitosis.Operation;
import org.mitosis.ResumeTimes;
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
    // One call into the library, as each may touch pages that the child does not have yet.
    ByteBuffer all =
        ByteBuffer.wrap(struct.getByteArray(0, ChildStruct.SIZEOF)).order(ByteOrder.nativeOrder());
    byte[] seed = new byte[Child.SEED_BYTES];
    all.get(ChildStruct.SEED, seed);
    told =
        new Child(
            all.getInt(ChildStruct.HANDLER_ID),
            all.getLong(ChildStruct.GENERATION),
            all.getLong(ChildStruct.NUMBER),
            all.getInt(ChildStruct.MACHINE_ID),
            new UUID(
                all.getLong(ChildStruct.SEED + Child.SEED_BYTES),
                all.getLong(ChildStruct.SEED + Child.SEED_BYTES + Long.BYTES)),
            seed,
            new ResumeTimes(
                all.getLong(ChildStruct.DESCRIPTOR_NS),
                all.getLong(ChildStruct.BORN_NS),
                all.getLong(ChildStruct.FILES_NS),
                all.getLong(ChildStruct.MAPPED_NS),
                all.getLong(ChildStruct.GO_NS)));
  }
}
