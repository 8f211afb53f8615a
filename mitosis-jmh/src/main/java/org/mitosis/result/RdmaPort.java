// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A port of an RDMA device of a machine, as sysfs has it. A value that could not be read is null.
 *
 * @param device its name, such as mlx5_0
 * @param number of the port, from 1
 * @param nicId the number by which an address names it: of all ports, by device and port, from 0
 * @param state such as ACTIVE
 * @param linkLayer Ethernet or InfiniBand
 * @param rate of the link
 * @param firmware of the device
 * @param adapter the type of the device, as its driver names it
 * @param gids its addresses, without empty places
 */
public record RdmaPort(
    String device,
    int number,
    int nicId,
    String state,
    String linkLayer,
    String rate,
    String firmware,
    String adapter,
    List<Gid> gids) {
  private static final String CLASS = "sys/class/infiniband";
  private static final String LINK_LOCAL = "fe80:";
  private static final String MAPPED = "0000:0000:0000:0000:0000:ffff:";

  /**
   * An address of a port.
   *
   * @param index its place in the port's table
   * @param gid eight groups of four hexadecimal digits
   * @param type such as RoCE v2
   * @param networkInterface whose address it is made of
   * @param mtu of that interface, in bytes
   */
  public record Gid(int index, String gid, String type, String networkInterface, Integer mtu) {
    /** The IPv4 address that it holds; empty if it is another one. */
    @JsonIgnore
    public Optional<String> ipv4() {
      if (!gid.startsWith(MAPPED)) {
        return Optional.empty();
      }
      int bytes = Integer.parseUnsignedInt(gid.substring(MAPPED.length()).replace(":", ""), 16);
      return Optional.of(
          "%d.%d.%d.%d"
              .formatted(bytes >>> 24, bytes >> 16 & 0xff, bytes >> 8 & 0xff, bytes & 0xff));
    }

    /** Whether it is an address of one link only. */
    @JsonIgnore
    public boolean isLinkLocal() {
      return gid.startsWith(LINK_LOCAL);
    }
  }

  /** All ports of a machine, in the order of their nicId. */
  public static List<RdmaPort> of(MachineProbe probe) {
    List<RdmaPort> ports = new ArrayList<>();
    for (String device : sorted(probe.entries(CLASS, ".*"))) {
      String folder = CLASS + "/" + device;
      for (String port : sorted(probe.entries(folder + "/ports", "[0-9]+"))) {
        String ofPort = folder + "/ports/" + port + "/";
        String state = probe.text(ofPort + "state");
        ports.add(
            new RdmaPort(
                device,
                Integer.parseInt(port),
                ports.size(),
                state == null ? null : state.replaceFirst("^[0-9]+: ", ""),
                probe.text(ofPort + "link_layer"),
                probe.text(ofPort + "rate"),
                probe.text(folder + "/fw_ver"),
                probe.text(folder + "/hca_type"),
                gids(probe, ofPort)));
      }
    }
    return List.copyOf(ports);
  }

  private static List<Gid> gids(MachineProbe probe, String ofPort) {
    List<Gid> gids = new ArrayList<>();
    for (String index : sorted(probe.entries(ofPort + "gids", "[0-9]+"))) {
      String gid = probe.text(ofPort + "gids/" + index);
      if (gid == null || gid.matches("[0:]*")) {
        continue;
      }
      String on = probe.text(ofPort + "gid_attrs/ndevs/" + index);
      String mtu = on == null ? null : probe.text("sys/class/net/" + on + "/mtu");
      gids.add(
          new Gid(
              Integer.parseInt(index),
              gid,
              probe.text(ofPort + "gid_attrs/types/" + index),
              on,
              mtu == null || !mtu.matches("[0-9]{1,9}") ? null : Integer.valueOf(mtu)));
    }
    return List.copyOf(gids);
  }

  /** Numbers by their value. */
  private static List<String> sorted(List<String> names) {
    return names.stream()
        .sorted(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  /** Its name, as messages have it. */
  @JsonIgnore
  public String name() {
    return device + " port " + number;
  }

  /** Whether its link is up. */
  @JsonIgnore
  public boolean isActive() {
    return "ACTIVE".equals(state);
  }

  /** The host of an {@code rdma://} address that leads to it; empty if no GID has one. */
  @JsonIgnore
  public Optional<String> host() {
    return host(gids);
  }

  /** The same, of one of its network interfaces. */
  public Optional<String> host(String networkInterface) {
    return host(
        gids.stream()
            .filter(gid -> Objects.equals(gid.networkInterface(), networkInterface))
            .toList());
  }

  private static Optional<String> host(List<Gid> gids) {
    return gids.stream()
        .flatMap(gid -> gid.ipv4().stream())
        .findFirst()
        .or(
            () ->
                gids.stream()
                    .filter(gid -> !gid.isLinkLocal())
                    .map(gid -> "[" + gid.gid() + "]")
                    .findFirst());
  }

  /** What of it matters for times. */
  public String summary() {
    return String.join(
        ", ",
        List.of(
            name(),
            Objects.toString(adapter, "unknown"),
            "firmware " + Objects.toString(firmware, "unknown"),
            Objects.toString(rate, "unknown"),
            "MTU "
                + gids.stream()
                    .map(Gid::mtu)
                    .filter(Objects::nonNull)
                    .findFirst()
                    .map(Object::toString)
                    .orElse("unknown")));
  }
}
