// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.MachineProbe;

class RdmaDevicesTest {
  private static final String PORT = "sys/class/infiniband/rxe0/ports/1/";
  private static final String NONE = "0000:0000:0000:0000:0000:0000:0000:0000";
  private static final String LINK_LOCAL = "fe80:0000:0000:0000:e436:e6ff:fe50:f781";

  @TempDir Path root;

  /** As sysfs of Linux 6.12 has soft-RoCE over a veth pair. */
  private void device(String state) throws IOException {
    file(PORT + "state", state);
    file(PORT + "link_layer", "Ethernet");
    file(PORT + "rate", "2.5 Gb/sec (1X SDR)");
    gid(0, LINK_LOCAL);
    file(PORT + "gids/2", NONE);
    file("sys/class/net/veth0/mtu", "9000");
  }

  private void gid(int index, String gid) throws IOException {
    file(PORT + "gids/" + index, gid);
    file(PORT + "gid_attrs/types/" + index, "RoCE v2");
    file(PORT + "gid_attrs/ndevs/" + index, "veth0");
  }

  private void prerequisites() throws IOException {
    file("dev/infiniband/uverbs0", "");
    file("dev/infiniband/rdma_cm", "");
    file("usr/lib/x86_64-linux-gnu/libibverbs.so.1", "");
    file("usr/lib64/librdmacm.so.1", "");
    limit("unlimited");
  }

  private void limit(String soft) throws IOException {
    file(
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n"
            + "Max locked memory         "
            + soft
            + "              unlimited            bytes");
  }

  private void file(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text + "\n");
  }

  private RdmaDevices read() {
    return RdmaDevices.read(new MachineProbe(root));
  }

  @Test
  void withoutADeviceNothingIsMissing() {
    assertEquals(new RdmaDevices(List.of(), List.of()), read());
  }

  @Test
  void portsAndGidsWithTheirInterfaces() throws IOException {
    device("4: ACTIVE");
    gid(1, "0000:0000:0000:0000:0000:ffff:0a07:0001");
    gid(10, "2001:0db8:0000:0000:0000:0000:0000:0001");
    prerequisites();
    assertEquals(
        new RdmaDevices(
            List.of(
                "rxe0 port 1 (nic_id 0): ACTIVE, Ethernet, 2.5 Gb/sec (1X SDR)",
                "rxe0 port 1 GID 0: " + LINK_LOCAL + ", RoCE v2, veth0 (MTU 9000)",
                "rxe0 port 1 GID 1: 0000:0000:0000:0000:0000:ffff:0a07:0001 (10.7.0.1), RoCE v2,"
                    + " veth0 (MTU 9000)",
                "rxe0 port 1 GID 10: 2001:0db8:0000:0000:0000:0000:0000:0001, RoCE v2, veth0"
                    + " (MTU 9000)",
                "locked memory: unlimited"),
            List.of()),
        read());
  }

  @Test
  void aCardWithoutItsDriverIsNamed() throws IOException {
    file("sys/bus/pci/devices/0000:00:1f.0/vendor", "0x8086");
    file("sys/bus/pci/devices/0000:3b:00.0/vendor", "0x15b3");
    RdmaDevices devices = read();
    assertEquals(List.of(), devices.found());
    assertEquals(
        List.of("modprobe mlx5_ib (or mlx4_ib): the card at 0000:3b:00.0 has no RDMA device yet"),
        devices.missing());
  }

  @Test
  void theSecondModuleIsMissedBesideTheFirst() throws IOException {
    device("4: ACTIVE");
    gid(1, "0000:0000:0000:0000:0000:ffff:0a07:0001");
    prerequisites();
    limit("8388608");
    file("sys/module/mitosis/refcnt", "0");
    assertEquals(
        List.of("modprobe mitosis_rdma: without it the kernel module's pages come over TCP"),
        read().missing());
    assertEquals("locked memory: 8192 KiB (ulimit -l)", read().found().get(3));
    file("sys/module/mitosis_rdma/refcnt", "0");
    assertEquals(List.of(), read().missing());
  }

  @Test
  void anAddressWithAHighFirstByte() throws IOException {
    device("4: ACTIVE");
    gid(1, "0000:0000:0000:0000:0000:ffff:c0a8:fffe");
    assertEquals(
        "rxe0 port 1 GID 1: 0000:0000:0000:0000:0000:ffff:c0a8:fffe (192.168.255.254), RoCE v2,"
            + " veth0 (MTU 9000)",
        read().found().get(2));
  }

  @Test
  void eachThingThatIsMissingIsNamed() throws IOException {
    device("1: DOWN");
    limit("65536");
    assertEquals(
        List.of(
            "bring up rxe0 port 1: veth0",
            "give veth0 an address: rxe0 port 1 has no GID that rdma://HOST could name",
            "modprobe ib_uverbs: there is no /dev/infiniband/uverbs0",
            "modprobe rdma_ucm: there is no /dev/infiniband/rdma_cm",
            "apt-get install libibverbs1 librdmacm1 ibverbs-providers: no libibverbs.so.1",
            "apt-get install libibverbs1 librdmacm1 ibverbs-providers: no librdmacm.so.1",
            "raise ulimit -l from 64 to 4096 KiB or more, or be root"),
        read().missing());
  }
}
