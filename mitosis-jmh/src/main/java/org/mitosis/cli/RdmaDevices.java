// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.mitosis.result.MachineProbe;

/**
 * The RDMA devices of this machine, as sysfs has them, and what pages over RDMA still lack here:
 * see docs/rdma.md.
 *
 * @param found a line for each port, and for each of its GIDs; empty without a device
 * @param missing what to do, a line each; empty if nothing is known to be missing
 */
record RdmaDevices(List<String> found, List<String> missing) {
  private static final String CLASS = "sys/class/infiniband";
  private static final List<String> LIBRARIES = List.of("libibverbs.so.1", "librdmacm.so.1");
  private static final List<String> LIBRARY_FOLDERS =
      List.of("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib", "lib64");

  /** What mitosisd's porter locks for one machine that reads a snapshot. */
  private static final long LOCKED_BYTES = 4L << 20;

  private static final String LINK_LOCAL = "fe80:";
  private static final String MAPPED = "0000:0000:0000:0000:0000:ffff:";

  static RdmaDevices read(MachineProbe probe) {
    List<String> found = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    int nicId = 0;
    for (String device : sorted(probe.entries(CLASS, ".*"))) {
      for (String port : sorted(probe.entries(CLASS + "/" + device + "/ports", "[0-9]+"))) {
        port(probe, device, port, nicId++, found, missing);
      }
    }
    if (!found.isEmpty()) {
      prerequisites(probe, missing);
    }
    return new RdmaDevices(List.copyOf(found), List.copyOf(missing));
  }

  /** Numbers by their value. */
  private static List<String> sorted(List<String> names) {
    return names.stream()
        .sorted(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  private static void port(
      MachineProbe probe,
      String device,
      String port,
      int nicId,
      List<String> found,
      List<String> missing) {
    String folder = CLASS + "/" + device + "/ports/" + port + "/";
    String state = String.valueOf(probe.text(folder + "state")).replaceFirst("^[0-9]+: ", "");
    String name = device + " port " + port;
    found.add(
        name
            + " (nic_id "
            + nicId
            + "): "
            + state
            + ", "
            + probe.text(folder + "link_layer")
            + ", "
            + probe.text(folder + "rate"));
    String networkInterface = null;
    boolean reachable = false;
    for (String index : sorted(probe.entries(folder + "gids", "[0-9]+"))) {
      String gid = probe.text(folder + "gids/" + index);
      if (gid == null || gid.matches("[0:]*")) {
        continue;
      }
      String on = probe.text(folder + "gid_attrs/ndevs/" + index);
      networkInterface = on == null ? networkInterface : on;
      reachable |= !gid.startsWith(LINK_LOCAL);
      found.add(
          name
              + " GID "
              + index
              + ": "
              + gid
              + address(gid)
              + type(probe.text(folder + "gid_attrs/types/" + index))
              + (on == null ? "" : ", " + on + mtu(probe, on)));
    }
    if (!state.equals("ACTIVE")) {
      missing.add("bring up " + name + (networkInterface == null ? "" : ": " + networkInterface));
    }
    if (!reachable) {
      missing.add(
          "give "
              + (networkInterface == null ? "the network interface of " + name : networkInterface)
              + " an address: "
              + name
              + " has no GID that rdma://HOST could name");
    }
  }

  private static String type(String type) {
    return type == null ? "" : ", " + type;
  }

  private static String mtu(MachineProbe probe, String networkInterface) {
    String mtu = probe.text("sys/class/net/" + networkInterface + "/mtu");
    return mtu == null ? "" : " (MTU " + mtu + ")";
  }

  /** The IPv4 address that a GID has in its last four bytes. */
  private static String address(String gid) {
    if (!gid.startsWith(MAPPED)) {
      return "";
    }
    int bytes = Integer.parseUnsignedInt(gid.substring(MAPPED.length()).replace(":", ""), 16);
    return " (%d.%d.%d.%d)"
        .formatted(bytes >>> 24, bytes >> 16 & 0xff, bytes >> 8 & 0xff, bytes & 0xff);
  }

  private static void prerequisites(MachineProbe probe, List<String> missing) {
    if (probe.entries("dev/infiniband", "uverbs[0-9]+").isEmpty()) {
      missing.add("modprobe ib_uverbs: there is no /dev/infiniband/uverbs0");
    }
    if (probe.entries("dev/infiniband", "rdma_cm").isEmpty()) {
      missing.add("modprobe rdma_ucm: there is no /dev/infiniband/rdma_cm");
    }
    for (String library : LIBRARIES) {
      if (LIBRARY_FOLDERS.stream().allMatch(folder -> probe.entries(folder, library).isEmpty())) {
        missing.add("apt-get install libibverbs1 librdmacm1 ibverbs-providers: no " + library);
      }
    }
    Long locked = lockedBytes(probe.text("proc/self/limits"));
    if (locked != null && locked < LOCKED_BYTES) {
      missing.add("raise ulimit -l from " + (locked >> 10) + " to 4096 KiB or more, or be root");
    }
  }

  /** The soft limit of locked memory; null if there is none, or it is not known. */
  private static Long lockedBytes(String limits) {
    return Stream.ofNullable(limits)
        .flatMap(String::lines)
        .filter(line -> line.startsWith("Max locked memory"))
        .map(line -> line.substring("Max locked memory".length()).strip().split("\\s+")[0])
        .filter(value -> value.matches("[0-9]{1,18}"))
        .map(Long::valueOf)
        .findFirst()
        .orElse(null);
  }
}
