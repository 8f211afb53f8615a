// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.ChildJvm;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.NativeModule;
import org.mitosis.Snapshot;

/**
 * The exact system calls of the kernel backend, byte by byte, without a module: a preloaded library
 * (native-module/tests/ioctl_recorder.c) writes them down and answers in its place.
 */
class KernelCallsTest {
  private static final String IPV4_GID = "0000:0000:0000:0000:0000:ffff:0a00:0002";
  private static final String GID = "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c";

  @Test
  void callsAreThoseOfTheOriginal(@TempDir Path folder) throws Exception {
    Path device = Files.createFile(folder.toRealPath().resolve("device"));
    Path log = folder.resolve("log");
    List<String> said =
        ChildJvm.start(
                Calls.class,
                List.of(
                    "-Dmitosis.device=" + device,
                    "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", "")),
                Map.of(
                    "LD_PRELOAD", NativeModule.built("tests/ioctl_recorder.so").toString(),
                    "IOCTL_RECORDER_DEVICE", device.toString(),
                    "IOCTL_RECORDER_LOG", log.toString()))
            .lines();

    assertEquals(
        List.of(
            "nil: ok",
            "prepare: ok",
            "prepare: EBUSY",
            "prepare: EEXIST",
            "prepare pinned: ok",
            "unprepare: ENOENT",
            "list: [73, 2147483647 pinned] 1970-01-01T00:00:01.500Z",
            "unprepare: ok",
            "nil RPC: ENOTCONN",
            "connect: ok",
            "connect: ok",
            "connect: ENODEV",
            "connect: ok",
            "connect on machine 7 failed: the loaded mitosis module has no RDMA for"
                + " 'rdma://10.0.0.5%1' (ENODEV); load mitosis_rdma, too, or give tcp://host:port",
            "nil RPC: ok",
            "resume local: EINVAL",
            "resume remote: EINVAL",
            "list after close: []"),
        said);
    assertEquals(
        List.of(
            // Each device asks whether the module takes descriptions, which the original's does
            // not.
            "0x40186d0c value=0",
            "0x40186d0c value=0",
            "0 value=0",
            "0x4 value=73",
            "0x4 value=74",
            "0x4 value=73",
            "0x7 value=2147483647",
            "0x40046d01 bytes=04030201",
            // Each step asks for the smallest id not below the last one plus 1.
            "0xc0186d02 bytes=" + "00".repeat(24),
            "0xc0186d02 bytes=4a000000" + "00".repeat(20),
            "0xc0186d02 bytes=00000080" + "00".repeat(20),
            "0x40046d01 bytes=ffffff7f",
            "0x8 bytes=0500000000000000",
            "0x3 bytes=0600000000000000 gid=" + text(GID),
            "0x3 bytes=0600000002000000 gid=" + text(GID),
            // nic_id 0 would leave the choice of the port to the route.
            "0x3 bytes=0600000000000000 gid="
                + text(("rdma://[" + IPV4_GID + "]%0").substring(0, 40)),
            "0x3 bytes=0500000000000000 gid=" + text("tcp://10.0.0.5:7000"),
            "0x3 bytes=0700000000000000 gid=" + text("rdma://10.0.0.5%1"),
            "0x8 bytes=0500000000000000",
            "0x5 value=73",
            "0x6 bytes=0500000049000000",
            "0xc0186d02 bytes=" + "00".repeat(24)),
        Files.readAllLines(log));
  }

  /** The module does not know the interface of a link-local GID, whether it has RDMA or not. */
  @Test
  void aLinkLocalGidIsRefusedWithTheAddressToGive() {
    assertEquals(
        "the GID '"
            + GID
            + "' is link-local, and does not tell the mitosis module the network interface; give"
            + " rdma://[ADDRESS%INTERFACE]:port",
        KernelDevice.noRdma(GID));
  }

  @Test
  void aNumberWithoutAPortIsRefusedWithTheList(@TempDir Path devices) throws Exception {
    for (String port : List.of("mlx5_10/ports/1", "mlx5_9/ports/2", "mlx5_9/ports/1")) {
      Files.createDirectories(devices.resolve(port));
    }
    String refusal =
        "'rdma://10.0.0.5%3' names the RDMA port with nic_id 3, and this machine's are: ";
    assertEquals(
        refusal
            + "mlx5_9 port 1 (0), mlx5_9 port 2 (1), mlx5_10 port 1 (2); give the number of one of"
            + " them, or leave %nic_id out",
        KernelDevice.noPort("rdma://10.0.0.5%3", devices));
    assertEquals(
        refusal + "none; give the number of one of them, or leave %nic_id out",
        KernelDevice.noPort("rdma://10.0.0.5%3", devices.resolve("nowhere")));
  }

  /** 40 bytes: the text and zeros. */
  private static String text(String address) {
    byte[] bytes = new byte[40];
    byte[] ascii = address.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(ascii, 0, bytes, 0, ascii.length);
    return HexFormat.of().formatHex(bytes);
  }

  /** Makes every call of a device once or more, and prints how each ended. */
  static final class Calls {
    public static void main(String[] arguments) {
      KernelBackend backend = new KernelBackend();
      Device device = backend.open();
      Device other = backend.open();
      run("nil", device::nil);
      run("prepare", () -> device.prepare(73));
      run("prepare", () -> device.prepare(74));
      run("prepare", () -> other.prepare(73));
      run("prepare pinned", () -> other.preparePinned(Integer.MAX_VALUE));
      run("unprepare", () -> device.unprepare(0x01020304));
      List<Snapshot> listed = device.list();
      System.out.println(
          "list: "
              + listed.stream().map(s -> s.handlerId() + (s.pinned() ? " pinned" : "")).toList()
              + " "
              + listed.get(0).preparedAt());
      run("unprepare", () -> device.unprepare(Integer.MAX_VALUE));
      run("nil RPC", () -> device.nilRpc(5));
      run("connect", () -> device.connect(6, GID));
      run("connect", () -> device.connect(6, GID + "%2"));
      run("connect", () -> device.connect(6, IPV4_GID + "%0"));
      run("connect", () -> device.connect(5, "tcp://10.0.0.5:7000"));
      try {
        device.connect(7, "rdma://10.0.0.5%1");
      } catch (MitosisException e) {
        System.out.println(e.getMessage());
      }
      run("nil RPC", () -> device.nilRpc(5));
      run("resume local", () -> device.resumeLocal(73));
      run("resume remote", () -> device.resumeRemote(5, 73));
      device.close();
      System.out.println("list after close: " + other.list());
      other.close();
    }

    private static void run(String name, Runnable call) {
      try {
        call.run();
        System.out.println(name + ": ok");
      } catch (MitosisException e) {
        System.out.println(name + ": " + Errno.name(e.errno()));
      }
    }
  }
}
