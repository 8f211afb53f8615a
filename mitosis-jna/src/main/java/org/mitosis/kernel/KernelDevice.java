// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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

/**
 * An open file of the kernel module. It asks by itself what the original's module knows; what that
 * does not know, threads and open files above all, is the library's.
 */
final class KernelDevice extends CheckedDevice {
  /** The largest handler id there is; ids are unsigned in C. */
  private static final long LAST_HANDLER_ID = 0xffff_ffffL;

  /** Where the text of an address lies in the buffer: behind the largest struct. */
  private static final int ADDRESS_OFFSET = 24;

  /** Longer than a GID, of which the module copies all bytes whatever the text's length; a NUL. */
  private static final int BUFFER_BYTES = ADDRESS_OFFSET + Uapi.MITOSIS_ADDRESS_LENGTH + 1;

  /** A GID, and the original's nic_id. */
  private static final Pattern WITH_NIC = Pattern.compile("([^/]*)%([0-9]{1,3})");

  private static final Path DEVICES = Path.of("/sys/class/infiniband");

  /** A {@code struct mitosis *}. */
  private final long device;

  /** The module takes what a process tells of itself: the original's does not. */
  private final boolean takesDescriptions;

  private final Memory buffer = new Memory(BUFFER_BYTES);
  private final long bufferAddress = Pointer.nativeValue(buffer);
  private String refusal = ""; // of the call that has just failed

  /** Takes over the device; it is closed with this one. */
  KernelDevice(long device) {
    super(Backend.KERNEL);
    this.device = device;
    takesDescriptions = ioctl(Uapi.MITOSIS_IOC_PREPARE_DESCRIBED, 0) != -Errno.ENOTTY;
  }

  private int ioctl(long command, long argument) {
    return LibMitosis.mitosis_module_ioctl(device, command, argument);
  }

  @Override
  protected int callNil() {
    return ioctl(Uapi.MITOSIS_NIL, 0);
  }

  @Override
  protected int callPrepare(int handlerId) {
    return takesDescriptions
        ? said(LibMitosis.mitosis_prepare(device, handlerId))
        : ioctl(Uapi.MITOSIS_PREPARE, handlerId);
  }

  @Override
  protected int callPreparePinned(int handlerId) {
    return takesDescriptions
        ? said(LibMitosis.mitosis_prepare_pinned(device, handlerId))
        : ioctl(Uapi.MITOSIS_PREPARE_PINNED, handlerId);
  }

  @Override
  protected int callSetPrepareOptions(PrepareOptions options) {
    return takesDescriptions
        ? said(PrepareOptionsStruct.set(device, options))
        : super.callSetPrepareOptions(options);
  }

  @Override
  protected Child resumed() {
    return ResumedChild.take();
  }

  @Override
  protected int callContents(int handlerId, long[] contents) {
    return takesDescriptions
        ? said(ContentsStruct.list(device, handlerId, contents))
        : super.callContents(handlerId, contents);
  }

  @Override
  protected int callUnprepare(int handlerId) {
    buffer.setInt(0, handlerId);
    return ioctl(Uapi.MITOSIS_IOC_UNPREPARE, bufferAddress);
  }

  @Override
  protected int callList(List<Snapshot> snapshots) {
    long from = 0;
    while (from <= LAST_HANDLER_ID) {
      buffer.clear();
      buffer.setInt(Uapi.SnapshotStruct.HANDLER_ID, (int) from);
      int result = ioctl(Uapi.MITOSIS_IOC_NEXT, bufferAddress);
      if (result == -Errno.ENOENT) {
        return 0;
      }
      if (result < 0) {
        return result;
      }
      long found = Integer.toUnsignedLong(buffer.getInt(Uapi.SnapshotStruct.HANDLER_ID));
      if (found < from) {
        return -Errno.EIO; // Ids ascend; going on could take for ever.
      }
      snapshots.add(Uapi.SnapshotStruct.read(buffer, 0));
      from = found + 1;
    }
    return 0;
  }

  @Override
  protected int callConnect(int machineId, String address) {
    if (address.startsWith("replica://")) {
      refusal =
          "the kernel module has no replicas, as '"
              + address
              + "' needs; give tcp://host:port, or use the user backend";
      return -Errno.EINVAL;
    }
    Matcher withNic = WITH_NIC.matcher(address);
    boolean named = withNic.matches();
    int nicId = named ? Integer.parseInt(withNic.group(2)) : 0;
    String gid = named ? withNic.group(1) : address;
    if (named && nicId == 0 && !isLinkLocal(gid)) {
      gid = "rdma://[" + gid + "]%0"; // nic_id 0 leaves the choice to the route
    }
    byte[] text = gid.getBytes(StandardCharsets.US_ASCII);
    if (text.length > Uapi.MITOSIS_ADDRESS_LENGTH) {
      throw new IllegalArgumentException(
          "address '"
              + address
              + "' has "
              + text.length
              + " characters: the kernel module reads "
              + Uapi.MITOSIS_ADDRESS_LENGTH);
    }
    buffer.clear();
    buffer.setInt(Uapi.ConnectReq.MACHINE_ID, machineId);
    buffer.setInt(Uapi.ConnectReq.NIC_ID, nicId);
    buffer.setLong(Uapi.ConnectReq.GID, bufferAddress + ADDRESS_OFFSET);
    buffer.write(ADDRESS_OFFSET, text, 0, text.length);
    int result = ioctl(Uapi.MITOSIS_CONNECT, bufferAddress);
    refusal = result == -Errno.ENODEV ? noRdma(address) : "";
    if (result == -Errno.ENXIO) {
      refusal = noPort(address, DEVICES);
      return -Errno.ENODEV;
    }
    return result;
  }

  private static boolean isLinkLocal(String gid) {
    return gid.toLowerCase(Locale.ROOT).startsWith("fe80:");
  }

  /** Why an address is refused whose nic_id none of the ports in a folder of devices has. */
  static String noPort(String address, Path devices) {
    List<Path> ports = new ArrayList<>();
    for (Path device : entries(devices)) {
      ports.addAll(entries(device.resolve("ports")));
    }
    StringJoiner names = new StringJoiner(", ").setEmptyValue("none");
    for (Path port : ports) {
      String device = port.getParent().getParent().getFileName().toString();
      names.add(device + " port " + port.getFileName() + " (" + ports.indexOf(port) + ")");
    }
    return "'"
        + address
        + "' names the RDMA port with nic_id "
        + address.substring(address.lastIndexOf('%') + 1)
        + ", and this machine's are: "
        + names
        + "; give the number of one of them, or leave %nic_id out";
  }

  /** Shorter names first, as the ports are counted; none if there is no such folder. */
  private static List<Path> entries(Path folder) {
    try (Stream<Path> found = Files.list(folder)) {
      return found
          .sorted(
              Comparator.comparing((Path path) -> path.getFileName().toString().length())
                  .thenComparing(Comparator.naturalOrder()))
          .toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  /** Why an address is refused with ENODEV. */
  static String noRdma(String address) {
    if (isLinkLocal(address)) {
      return "the GID '"
          + address
          + "' is link-local, and does not tell the mitosis module the network interface; give"
          + " rdma://[ADDRESS%INTERFACE]:port";
    }
    return "the loaded mitosis module has no RDMA for '"
        + address
        + "'; load mitosis_rdma, too, or give tcp://host:port";
  }

  @Override
  protected String message() {
    String message = refusal;
    refusal = "";
    return message;
  }

  @Override
  protected int callNilRpc(int machineId) {
    return remote(Uapi.MITOSIS_NIL_RPC, machineId, 0);
  }

  @Override
  protected int callResumeLocal(int handlerId) {
    return ioctl(Uapi.MITOSIS_RESUME_LOCAL, handlerId);
  }

  @Override
  protected int callResumeRemote(int machineId, int handlerId) {
    return remote(Uapi.MITOSIS_RESUME_REMOTE, machineId, handlerId);
  }

  @Override
  protected int callClose() {
    buffer.close();
    return LibMitosis.mitosis_close(device);
  }

  /** Keeps the library's message if its call has failed. */
  private int said(int result) {
    refusal = result < 0 ? LibMitosis.error() : "";
    return result;
  }

  private int remote(int command, int machineId, int handlerId) {
    buffer.setInt(Uapi.RemoteReq.MACHINE_ID, machineId);
    buffer.setInt(Uapi.RemoteReq.HANDLER_ID, handlerId);
    return ioctl(command, bufferAddress);
  }
}
