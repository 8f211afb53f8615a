// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import org.mitosis.Child;
import org.mitosis.ResumeTimes;
import org.mitosis.posix.LibMitosis.ChildStruct;

/**
 * The one hook that this JVM has in libmitosis. It runs in a child, in the thread that prepares,
 * before the call returns, and keeps what the child is told.
 */
public final class ResumedChild {
  /** Reachable from here, as libmitosis calls it. */
  private static final LibMitosis.ResumeHook HOOK = ResumedChild::keep;

  private static boolean listening;
  private static volatile Child told;

  private ResumedChild() {}

  /**
   * Registers the hook, once per process and in advance of its snapshots. Returns 0 or -errno, with
   * a message.
   */
  public static synchronized int listen() {
    if (listening) {
      return 0;
    }
    try (Memory nothing = new Memory(ChildStruct.SIZEOF)) {
      nothing.clear();
      keep(nothing, null); // loads here what a child needs
      told = null;
    }
    int result = LibMitosis.mitosis_on_resume(HOOK, null);
    listening = result == 0;
    return result;
  }

  /** What this process was told since it last asked; null if it is no child. */
  public static Child take() {
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
