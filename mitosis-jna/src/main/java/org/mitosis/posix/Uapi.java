// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import com.sun.jna.Pointer;
import java.time.Instant;
import org.mitosis.Snapshot;

/**
 * {@code uapi/mitosis.h}: the numbers and the structs of the kernel module's ioctl interface.
 *
 * <p>A test compares every constant with what a compiled C program prints. A struct is a nested
 * class with its size and the offset of each field, in bytes; no struct has padding.
 */
public final class Uapi {
  public static final String MITOSIS_DEVICE_PATH = "/dev/mitosis-syscalls";

  public static final int MITOSIS_NIL = 0;
  public static final int MITOSIS_CONNECT = 3;
  public static final int MITOSIS_PREPARE = 4;
  public static final int MITOSIS_RESUME_LOCAL = 5;
  public static final int MITOSIS_RESUME_REMOTE = 6;
  public static final int MITOSIS_PREPARE_PINNED = 7;
  public static final int MITOSIS_NIL_RPC = 8;

  /** {@code _IOW('m', 1, __u32)}. */
  public static final long MITOSIS_IOC_UNPREPARE = 0x4004_6d01L;

  /** {@code _IOWR('m', 2, struct mitosis_snapshot)}. */
  public static final long MITOSIS_IOC_NEXT = 0xc018_6d02L;

  /** {@code _IOW('m', 12, struct mitosis_described)}. */
  public static final long MITOSIS_IOC_PREPARE_DESCRIBED = 0x4018_6d0cL;

  /** Bytes of a GID in text, without a final NUL. */
  public static final int MITOSIS_GID_LENGTH = 39;

  /** Bytes of the longest address, without its final NUL. */
  public static final int MITOSIS_ADDRESS_LENGTH = 255;

  public static final int MITOSIS_SNAPSHOT_PINNED = 0x1;

  private static final long NS_PER_S = 1_000_000_000L;

  private Uapi() {}

  /** {@code struct mitosis_connect_req}. */
  public static final class ConnectReq {
    public static final int SIZEOF = 16;
    public static final int MACHINE_ID = 0;
    public static final int NIC_ID = 4;
    public static final int GID = 8;

    private ConnectReq() {}
  }

  /** {@code struct mitosis_remote_req}. */
  public static final class RemoteReq {
    public static final int SIZEOF = 8;
    public static final int MACHINE_ID = 0;
    public static final int HANDLER_ID = 4;

    private RemoteReq() {}
  }

  /** {@code struct mitosis_snapshot}, which libmitosis uses as well. */
  public static final class SnapshotStruct {
    public static final int SIZEOF = 24;
    public static final int HANDLER_ID = 0;
    public static final int FLAGS = 4;
    public static final int OWNER_PID = 8;
    public static final int SHADOW_PID = 12;
    public static final int PREPARED_AT_NS = 16;

    private SnapshotStruct() {}

    /** Reads the struct at an offset, in bytes, of a piece of memory. */
    public static Snapshot read(Pointer memory, long offset) {
      long preparedAtNs = memory.getLong(offset + PREPARED_AT_NS);
      return new Snapshot(
          memory.getInt(offset + HANDLER_ID),
          (memory.getInt(offset + FLAGS) & MITOSIS_SNAPSHOT_PINNED) != 0,
          memory.getInt(offset + OWNER_PID),
          memory.getInt(offset + SHADOW_PID),
          Instant.ofEpochSecond(
              Long.divideUnsigned(preparedAtNs, NS_PER_S),
              Long.remainderUnsigned(preparedAtNs, NS_PER_S)));
    }
  }
}
