// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.mitosis.Backend;
import org.mitosis.Child;
import org.mitosis.Errno;
import org.mitosis.PrepareOptions;
import org.mitosis.Snapshot;
import org.mitosis.posix.LibMitosis;
import org.mitosis.posix.LibMitosis.ContentsStruct;
import org.mitosis.posix.LibMitosis.PrepareOptionsStruct;
import org.mitosis.posix.ResumedChild;
import org.mitosis.posix.Uapi;
import org.mitosis.spi.CheckedDevice;

/** A device of libmitosis on its user backend. */
final class UserDevice extends CheckedDevice {
  private static final int FIRST_CAPACITY = 64;

  /** How many times the list is requested, as it can grow between two calls. */
  private static final int LIST_TRIES = 8;

  /** A {@code struct mitosis *}. */
  private final long device;

  /** Takes over the device; it is closed with this one. */
  UserDevice(long device) {
    super(Backend.USER);
    this.device = device;
  }

  @Override
  protected int callNil() {
    return LibMitosis.mitosis_nil(device);
  }

  @Override
  protected int callPrepare(int handlerId) {
    return LibMitosis.mitosis_prepare(device, handlerId);
  }

  @Override
  protected int callPreparePinned(int handlerId) {
    return LibMitosis.mitosis_prepare_pinned(device, handlerId);
  }

  @Override
  protected int callSetPrepareOptions(PrepareOptions options) {
    return PrepareOptionsStruct.set(device, options);
  }

  @Override
  protected Child resumed() {
    return ResumedChild.take();
  }

  @Override
  protected int callUnprepare(int handlerId) {
    return LibMitosis.mitosis_unprepare(device, handlerId);
  }

  @Override
  protected int callList(List<Snapshot> snapshots) {
    int capacity = FIRST_CAPACITY;
    for (int tries = 0; tries < LIST_TRIES; tries++) {
      try (Memory memory = new Memory((long) capacity * Uapi.SnapshotStruct.SIZEOF)) {
        int count = LibMitosis.mitosis_list(device, Pointer.nativeValue(memory), capacity);
        if (count < 0) {
          return count;
        }
        if (count <= capacity) {
          for (int i = 0; i < count; i++) {
            snapshots.add(Uapi.SnapshotStruct.read(memory, (long) i * Uapi.SnapshotStruct.SIZEOF));
          }
          return 0;
        }
        capacity = Math.addExact(count, FIRST_CAPACITY);
      }
    }
    return -Errno.EAGAIN;
  }

  @Override
  protected int callContents(int handlerId, long[] contents) {
    return ContentsStruct.list(device, handlerId, contents);
  }

  @Override
  protected int callConnect(int machineId, String address) {
    return LibMitosis.mitosis_connect(
        device, machineId, (address + '\0').getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  protected int callNilRpc(int machineId) {
    return LibMitosis.mitosis_nil_rpc(device, machineId);
  }

  @Override
  protected int callResumeLocal(int handlerId) {
    return LibMitosis.mitosis_resume_local(device, handlerId);
  }

  @Override
  protected int callResumeRemote(int machineId, int handlerId) {
    return LibMitosis.mitosis_resume_remote(device, machineId, handlerId);
  }

  @Override
  protected int callClose() {
    return LibMitosis.mitosis_close(device);
  }

  @Override
  protected String message() {
    return LibMitosis.error();
  }
}
