// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import com.sun.jna.Callback;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.PrepareOptions;
import org.mitosis.nativefiles.NativeFiles;

/**
 * {@code libmitosis.h}, function by function. A {@code struct mitosis *} is a long.
 *
 * <p>{@link #load} comes before every other call. The library is the one of this release, unpacked
 * by {@link NativeFiles}; a libmitosis installed on the machine is never taken instead.
 */
public final class LibMitosis {
  /** {@code MITOSIS_BACKEND_USER}. */
  public static final int MITOSIS_BACKEND_USER = 2;

  /** {@code MITOSIS_SEED_SIZE}: bytes of a child's seed. */
  public static final int MITOSIS_SEED_SIZE = 32;

  private static boolean loaded;

  /** {@code mitosis_resume_hook}; the object must stay reachable. */
  public interface ResumeHook extends Callback {
    /** Called in a child, by the thread that prepares. */
    void called(Pointer child, Pointer argument);
  }

  /** {@code struct mitosis_child}: its size and the offset of each field, in bytes. */
  public static final class ChildStruct {
    public static final int SIZEOF = 104;
    public static final int SEED = 0;
    public static final int GENERATION = 32;
    public static final int HANDLER_ID = 40;
    public static final int SIZE = 44;
    public static final int NUMBER = 48;
    public static final int MACHINE_ID = 56;
    public static final int RESERVED = 60;
    public static final int DESCRIPTOR_NS = 64;
    public static final int BORN_NS = 72;
    public static final int FILES_NS = 80;
    public static final int MAPPED_NS = 88;
    public static final int GO_NS = 96;

    private ChildStruct() {}
  }

  /** {@code struct mitosis_contents}: its size and the offset of each field, in bytes. */
  public static final class ContentsStruct {
    public static final int SIZEOF = 24;
    public static final int SIZE = 0;
    public static final int THREADS = 4;
    public static final int FILES = 8;
    public static final int MAPPINGS = 12;
    public static final int BYTES = 16;

    private ContentsStruct() {}

    /** Calls {@link #mitosis_list_contents}, and writes threads, files, mappings and bytes. */
    public static int list(long device, int handlerId, long[] contents) {
      try (Memory memory = new Memory(SIZEOF)) {
        memory.clear();
        memory.setInt(SIZE, SIZEOF);
        int result = mitosis_list_contents(device, handlerId, Pointer.nativeValue(memory));
        contents[0] = memory.getInt(THREADS);
        contents[1] = memory.getInt(FILES);
        contents[2] = memory.getInt(MAPPINGS);
        contents[3] = memory.getLong(BYTES);
        return result;
      }
    }
  }

  /** {@code struct mitosis_prepare_options}: its size and the offset of each field, in bytes. */
  public static final class PrepareOptionsStruct {
    public static final int SIZEOF = 24;
    public static final int SIZE = 0;
    public static final int STOP_MS = 4;
    public static final int LEFT_OUT_COUNT = 8;
    public static final int STOP_SIGNAL = 12;
    public static final int LEFT_OUT = 16;

    private PrepareOptionsStruct() {}

    /** Calls {@link #mitosis_set_prepare_options}. */
    public static int set(long device, PrepareOptions options) {
      int[] leftOut = options.leftOut().stream().mapToInt(Integer::intValue).toArray();
      long numbers = SIZEOF;
      try (Memory memory = new Memory(numbers + (long) leftOut.length * Integer.BYTES)) {
        memory.clear();
        memory.setInt(SIZE, SIZEOF);
        memory.setInt(STOP_MS, (int) options.stopWithin().toMillis());
        memory.setInt(LEFT_OUT_COUNT, leftOut.length);
        memory.setInt(STOP_SIGNAL, options.stopSignal());
        memory.setLong(LEFT_OUT, Pointer.nativeValue(memory) + numbers);
        memory.write(numbers, leftOut, 0, leftOut.length);
        return mitosis_set_prepare_options(device, Pointer.nativeValue(memory));
      }
    }
  }

  private LibMitosis() {}

  /**
   * Loads the library, once per process; does nothing later.
   *
   * @throws MitosisException if this machine cannot run it or it cannot be unpacked; a later call
   *     tries again
   */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    Path library = NativeFiles.path("libmitosis.so");
    // JNA unpacks a library of its own. Where ours can be run, so can that one.
    if (System.getProperty("jna.tmpdir") == null) {
      System.setProperty("jna.tmpdir", library.getParent().toString());
    }
    try {
      Native.register(LibMitosis.class, NativeLibrary.getInstance(library.toString()));
    } catch (LinkageError e) {
      throw MitosisException.of(Operation.OPEN, Errno.ENOEXEC)
          .problem("libmitosis cannot be loaded from " + library + ": " + e.getMessage())
          .advice(
              "set -D"
                  + NativeFiles.DIRECTORY_PROPERTY
                  + "=DIR to a directory of this user, on a"
                  + " file system without noexec")
          .build();
    }
    loaded = true;
  }

  /** The message of {@code mitosis_error()}, for the last failed call of this thread. */
  public static String error() {
    return text(mitosis_error());
  }

  /** The release of the library, such as {@code 0.1.0}. */
  public static String version() {
    return text(mitosis_version());
  }

  private static String text(Pointer pointer) {
    return pointer == null ? "" : pointer.getString(0, StandardCharsets.UTF_8.name());
  }

  public static native int mitosis_open(int backend, long[] device);

  public static native int mitosis_close(long device);

  public static native int mitosis_nil(long device);

  public static native int mitosis_prepare(long device, int handlerId);

  public static native int mitosis_prepare_pinned(long device, int handlerId);

  public static native int mitosis_set_prepare_options(long device, long options);

  public static native int mitosis_on_resume(ResumeHook hook, Pointer argument);

  public static native int mitosis_unprepare(long device, int handlerId);

  public static native int mitosis_list(long device, long snapshots, int capacity);

  public static native int mitosis_list_contents(long device, int handlerId, long contents);

  public static native int mitosis_connect(long device, int machineId, byte[] address);

  public static native int mitosis_nil_rpc(long device, int machineId);

  public static native int mitosis_resume_local(long device, int handlerId);

  public static native int mitosis_resume_remote(long device, int machineId, int handlerId);

  private static native Pointer mitosis_error();

  private static native Pointer mitosis_version();

  public static native int mitosis_open_module(byte[] path, long[] device);

  public static native int mitosis_module_ioctl(long device, long command, long argument);
}
