// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.RdmaPort;

/**
 * The RDMA devices of this machine, as sysfs has them, and what pages over RDMA still lack here:
 * see docs/rdma.md.
 *
 * @param found a line for each port, and for each of its GIDs; empty without a device
 * @param missing what to do, a line each; empty if nothing is known to be missing
 */
record RdmaDevices(List<String> found, List<String> missing) {
  private static final String MELLANOX = "0x15b3";
  private static final List<String> LIBRARIES = List.of("libibverbs.so.1", "librdmacm.so.1");
  private static final List<String> LIBRARY_FOLDERS =
      List.of("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib", "lib64");

  /** What mitosisd's porter locks for one machine that reads a snapshot. */
  private static final long LOCKED_BYTES = 4L << 20;

  static RdmaDevices read(MachineProbe probe) {
    List<String> found = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (RdmaPort port : RdmaPort.of(probe)) {
      found.add(
          port.name()
              + " (nic_id "
              + port.nicId()
              + "): "
              + port.state()
              + ", "
              + port.linkLayer()
              + ", "
              + port.rate()
              + (port.firmware() == null ? "" : ", firmware " + port.firmware()));
      port.gids().forEach(gid -> found.add(line(port, gid)));
      lacking(port, missing);
    }
    if (found.isEmpty()) {
      withoutDriver(probe, missing);
    } else {
      prerequisites(probe, missing);
      found.add("locked memory: " + limit(lockedBytes(probe.text("proc/self/limits"))));
    }
    return new RdmaDevices(List.copyOf(found), List.copyOf(missing));
  }

  /** A card whose driver is there, and that of its RDMA is not. */
  private static void withoutDriver(MachineProbe probe, List<String> missing) {
    for (String device : probe.entries("sys/bus/pci/devices", ".*")) {
      if (MELLANOX.equals(probe.text("sys/bus/pci/devices/" + device + "/vendor"))) {
        missing.add(
            "modprobe mlx5_ib (or mlx4_ib): the card at " + device + " has no RDMA device yet");
        return;
      }
    }
  }

  private static String limit(Long bytes) {
    return bytes == null ? "unlimited" : (bytes >> 10) + " KiB (ulimit -l)";
  }

  private static String line(RdmaPort port, RdmaPort.Gid gid) {
    return port.name()
        + " GID "
        + gid.index()
        + ": "
        + gid.gid()
        + gid.ipv4().map(address -> " (" + address + ")").orElse("")
        + (gid.type() == null ? "" : ", " + gid.type())
        + (gid.networkInterface() == null
            ? ""
            : ", "
                + gid.networkInterface()
                + (gid.mtu() == null ? "" : " (MTU " + gid.mtu() + ")"));
  }

  private static void lacking(RdmaPort port, List<String> missing) {
    String networkInterface =
        port.gids().stream()
            .map(RdmaPort.Gid::networkInterface)
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
    if (!port.isActive()) {
      missing.add(
          "bring up " + port.name() + (networkInterface == null ? "" : ": " + networkInterface));
    }
    if (port.host().isEmpty()) {
      missing.add(
          "give "
              + (networkInterface == null
                  ? "the network interface of " + port.name()
                  : networkInterface)
              + " an address: "
              + port.name()
              + " has no GID that rdma://HOST could name");
    }
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
    if (!probe.entries("sys/module", "mitosis").isEmpty()
        && probe.entries("sys/module", "mitosis_rdma").isEmpty()) {
      missing.add("modprobe mitosis_rdma: without it the kernel module's pages come over TCP");
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
