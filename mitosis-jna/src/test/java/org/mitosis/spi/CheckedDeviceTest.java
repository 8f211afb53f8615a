// SPDX-License-Identifier: Apache-2.0
package org.mitosis.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.Backend;
import org.mitosis.Errno;
import org.mitosis.Limits;
import org.mitosis.MitosisException;
import org.mitosis.PrepareOptions;
import org.mitosis.Snapshot;

/** What a device checks and says, whatever its backend answers. */
class CheckedDeviceTest {
  private final Scripted device = new Scripted();

  @Test
  void errnoBecomesAMessageWithIdAndAdvice() {
    device.answer = -Errno.EEXIST;
    MitosisException e = assertThrows(MitosisException.class, () -> device.prepare(73));
    assertEquals(
        "prepare of handler id 73 failed: the handler id is in use (EEXIST);"
            + " choose another handler id or unprepare this one",
        e.getMessage());
    assertEquals(OptionalInt.empty(), e.machineId());
  }

  @Test
  void messageOfTheBackendIsSplitIntoProblemAndAdvice() {
    device.answer = -Errno.EBUSY;
    device.message = "it holds 5; unprepare it; or wait";
    MitosisException e = assertThrows(MitosisException.class, () -> device.preparePinned(6));
    assertEquals(
        "pinned prepare of handler id 6 failed: it holds 5 (EBUSY); unprepare it; or wait",
        e.getMessage());
    assertEquals("unprepare it; or wait", e.advice());
  }

  @Test
  void messageWithoutAdviceGetsThatOfTheErrno() {
    device.answer = -Errno.ENOTCONN;
    device.message = "no session";
    MitosisException e = assertThrows(MitosisException.class, () -> device.resumeRemote(2, 3));
    assertEquals(
        "remote resume of handler id 3 on machine 2 failed: no session (ENOTCONN);"
            + " connect to the machine first",
        e.getMessage());
  }

  @Test
  void unknownErrnoIsShownAsANumber() {
    device.answer = -131;
    MitosisException e = assertThrows(MitosisException.class, device::nil);
    assertEquals("nil failed: the system refused (errno 131)", e.getMessage());
  }

  @Test
  void resumeThatComesBackIsAFailure() {
    MitosisException e = assertThrows(MitosisException.class, () -> device.resumeLocal(3));
    assertEquals(Errno.EIO, e.errno());
    assertThrows(MitosisException.class, () -> device.resumeRemote(1, 3));
  }

  @Test
  void closeReachesTheBackendOnce() {
    device.close();
    device.close();
    assertEquals(List.of("close"), device.calls);
  }

  @Test
  void nothingReachesTheBackendOnceClosed() {
    device.close();
    device.calls.clear();
    MitosisException e = assertThrows(MitosisException.class, () -> device.nilRpc(4));
    assertEquals(
        "nil RPC on machine 4 failed: the device is closed (EBADF); open a new device",
        e.getMessage());
    assertEquals(List.of(), device.calls);
  }

  @Test
  void failedCloseIsSaidOnce() {
    device.answer = -Errno.EIO;
    assertThrows(MitosisException.class, device::close);
    device.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c",
        "FE80:0000:0000:0000:EC0D:9A03:00CA:2F4C",
        "tcp://val01:7000",
        "tcp://[::1]:65535",
        "replica://val02:7000",
        "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c%0",
        "rdma://val01",
        "rdma://val01:7473%1",
        "rdma://[fe80::1]:7000"
      })
  void addressesOfEachFormReachTheBackend(String address) {
    device.connect(1, address);
    assertEquals(List.of("connect 1 " + address), device.calls);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "val01",
        "tcp://",
        "tcp://val01",
        "tcp://val01:",
        "rdma://",
        "rdma://val 01",
        "tcp://val 01:7000",
        "tcp://val01:7000\u0000",
        "tcp://välö1:7000",
        "udp://val01:7000",
        "replica://val01",
        "fe80::1",
        "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c0",
        "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c%",
        "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c%eth0"
      })
  void otherAddressesAreRefused(String address) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> device.connect(1, address));
    assertTrue(e.getMessage().contains("tcp://host:port"), e.getMessage());
    assertEquals(List.of(), device.calls);
  }

  @Test
  void aBackendMayNotKnowWhatASnapshotHas() {
    MitosisException e = assertThrows(MitosisException.class, () -> device.contents(3));
    assertEquals(Errno.ENOSYS, e.errno());
    assertThrows(IllegalArgumentException.class, () -> device.contents(-1));
  }

  @Test
  void aBackendMayKnowOneWayToPrepare() {
    device.setPrepareOptions(PrepareOptions.DEFAULT);
    PrepareOptions without = PrepareOptions.DEFAULT.withLeftOut(Set.of(5));
    MitosisException e =
        assertThrows(MitosisException.class, () -> device.setPrepareOptions(without));
    assertEquals(Errno.ENOSYS, e.errno());
    device.close();
    e = assertThrows(MitosisException.class, () -> device.setPrepareOptions(without));
    assertEquals(Errno.EBADF, e.errno());
  }

  @Test
  void optionsOfPrepareOutOfRangeAreRefused() {
    PrepareOptions options = PrepareOptions.DEFAULT;
    for (Duration time :
        List.of(Duration.ofNanos(999_999), Duration.ofSeconds(60).plusNanos(1), Duration.ZERO)) {
      assertThrows(IllegalArgumentException.class, () -> options.withStopWithin(time));
    }
    assertThrows(IllegalArgumentException.class, () -> options.withLeftOut(Set.of(2)));
    Set<Integer> many =
        IntStream.rangeClosed(3, 3 + Limits.LEFT_OUT_MAX).boxed().collect(Collectors.toSet());
    assertThrows(IllegalArgumentException.class, () -> options.withLeftOut(many));
    many.remove(3);
    assertEquals(many, options.withLeftOut(many).leftOut());
    for (int signal : List.of(-1, 1, 31, 65)) {
      assertThrows(IllegalArgumentException.class, () -> options.withStopSignal(signal));
    }
    assertEquals(32, options.withStopSignal(32).stopSignal());
  }

  /** A device that answers what it is told and notes what it is asked. */
  private static final class Scripted extends CheckedDevice {
    final List<String> calls = new ArrayList<>();
    int answer;
    String message = "";

    Scripted() {
      super(Backend.KERNEL);
    }

    private int called(String call) {
      calls.add(call);
      return answer;
    }

    @Override
    protected int callNil() {
      return called("nil");
    }

    @Override
    protected int callPrepare(int handlerId) {
      return called("prepare " + handlerId);
    }

    @Override
    protected int callPreparePinned(int handlerId) {
      return called("prepare pinned " + handlerId);
    }

    @Override
    protected int callUnprepare(int handlerId) {
      return called("unprepare " + handlerId);
    }

    @Override
    protected int callList(List<Snapshot> snapshots) {
      return called("list");
    }

    @Override
    protected int callConnect(int machineId, String address) {
      return called("connect " + machineId + " " + address);
    }

    @Override
    protected int callNilRpc(int machineId) {
      return called("nil RPC " + machineId);
    }

    @Override
    protected int callResumeLocal(int handlerId) {
      return called("resume local " + handlerId);
    }

    @Override
    protected int callResumeRemote(int machineId, int handlerId) {
      return called("resume remote " + machineId + " " + handlerId);
    }

    @Override
    protected int callClose() {
      return called("close");
    }

    @Override
    protected String message() {
      return message;
    }
  }
}
