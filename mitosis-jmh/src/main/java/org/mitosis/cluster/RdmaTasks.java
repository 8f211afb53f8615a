// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.mitosis.Backend;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.PageCounts;
import org.mitosis.fixture.RdmaDevice;
import org.mitosis.fixture.RdmaFloor;
import org.mitosis.fixture.RdmaTrial;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.RdmaPort;
import org.mitosis.setting.MissingPrerequisite;

/** Carries out the tasks of {@link RdmaSelftest} on a machine. */
final class RdmaTasks {
  private static final Path MODULE_WAIT = Path.of("/sys/module/mitosis/parameters/rdma_wait_ms");
  private static final String WAIT_MS = "4000";
  private static final int FLOOR_TIMES = 101;

  private final Consumer<AutoCloseable> keep;
  private final MachineProbe probe;
  private Machine machine;
  private RdmaTrial.Parent parent;
  private RdmaTrial.Child child;
  private PageCounts before;
  private RdmaFloor floor;

  /**
   * Tasks that start things.
   *
   * @param keep takes what is started, and closes it at the end
   */
  RdmaTasks(MachineProbe probe, Consumer<AutoCloseable> keep) {
    this.probe = probe;
    this.keep = keep;
  }

  Object carryOut(Task.OfRdma task) throws IOException {
    if (task instanceof Task.RdmaMachine start) {
      return start(start);
    }
    if (task instanceof Task.RdmaParent) {
      parent = kept(RdmaTrial.Parent.start(machine));
      return "";
    }
    if (task instanceof Task.RdmaOrder order) {
      parent.carryOut(order.order());
      return "";
    }
    if (task instanceof Task.RdmaFloorServer) {
      return kept(RdmaFloor.serve(host(machine))).port();
    }
    if (task instanceof Task.RdmaFloorTime measure) {
      return floorNs(measure);
    }
    if (task instanceof Task.RdmaStranger stranger) {
      return RdmaTrial.strangerIsTold(stranger.parentMachine(), stranger.address());
    }
    if (task instanceof Task.RdmaChild start) {
      before = machine.pageCounts();
      child =
          kept(
              RdmaTrial.Child.start(
                  machine,
                  start.parentMachine(),
                  start.address(),
                  start.resumeMode(),
                  start.prefetch()));
      return "";
    }
    return finish();
  }

  private Task.RdmaPlace start(Task.RdmaMachine start) throws IOException {
    List<RdmaPort> ports = RdmaPort.of(probe);
    String host =
        start.gid().isEmpty()
            ? RdmaDevice.requireHost(ports)
            : RdmaDevice.hostOf(start.gid(), ports);
    if (start.backend() == Backend.KERNEL) {
      waitForRdma();
      machine =
          kept(start.gid().isEmpty() ? Machine.ofKernelModule() : Machine.ofKernelModule(host));
    } else {
      machine = kept(RdmaTrial.machine(start.id(), start.key(), host));
    }
    return new Task.RdmaPlace(
        machine.id(), machine.rdmaAddress(), host(machine), String.join("; ", devices(ports)));
  }

  private static List<String> devices(List<RdmaPort> ports) {
    return ports.stream().filter(RdmaPort::isActive).map(RdmaPort::summary).toList();
  }

  /** The host of its address, as it is written there. */
  private static String host(Machine machine) {
    String address = machine.rdmaAddress().substring("rdma://".length());
    return address.substring(0, address.lastIndexOf(':'));
  }

  /** Sets the module's parameter until the end. */
  private void waitForRdma() throws IOException {
    if (!Files.isWritable(MODULE_WAIT)) {
      throw new MissingPrerequisite(
          MODULE_WAIT + " cannot be written: load mitosis and mitosis_rdma, and be root");
    }
    String now = Files.readString(MODULE_WAIT);
    keep.accept(() -> Files.writeString(MODULE_WAIT, now));
    Files.writeString(MODULE_WAIT, WAIT_MS);
  }

  private long floorNs(Task.RdmaFloorTime measure) {
    if (floor == null) {
      floor = kept(RdmaFloor.connect(measure.host(), measure.port()));
    }
    long[] ns = new long[FLOOR_TIMES];
    for (int i = 0; i < ns.length; i++) {
      ns[i] = measure.read() ? floor.readNs(measure.bytes()) : floor.sendNs(measure.bytes());
    }
    Arrays.sort(ns);
    return ns[ns.length / 2];
  }

  /** A child that ends before its time is an answer. */
  private Task.RdmaChecked finish() {
    RdmaTrial.Checked checked = new RdmaTrial.Checked(0, 0, 0);
    String end = "";
    try {
      checked = child.finish();
    } catch (IllegalStateException e) {
      end = e.getMessage();
    }
    child.close();
    PageCounts counts = machine.pageCounts().since(before);
    return new Task.RdmaChecked(
        end,
        checked.wrong(),
        checked.medianNs(),
        counts.byRdma(),
        counts.byTcp(),
        counts.fallbacks());
  }

  private <T extends AutoCloseable> T kept(T part) {
    keep.accept(part);
    return part;
  }
}
