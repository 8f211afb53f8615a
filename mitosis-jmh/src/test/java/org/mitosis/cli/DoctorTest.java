// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.MachineProbe;

class DoctorTest {
  @TempDir Path root;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final FakeMachine machine = new FakeMachine();

  @Test
  void aMachineWithTheUserBackendIsReady() throws IOException {
    file("proc/sys/kernel/hostname", "lab");
    file("proc/sys/kernel/ostype", "Linux");
    file("proc/sys/kernel/osrelease", "6.1.0");
    file("proc/sys/vm/unprivileged_userfaultfd", "0");
    file("proc/modules", "");
    file("proc/self/status", "Name:\tjava\nCapEff:\t0000000000080000\nCapBnd:\t000001ffffffffff");
    file("proc/cpuinfo", "processor : 0\nmodel name : Some CPU\n");
    file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    machine.availabilities.add(Availability.missing(Backend.KERNEL, "no device", "load it"));
    machine.availabilities.add(Availability.available(Backend.USER, "libmitosis works"));

    assertEquals(0, run());

    List<String> lines = output().lines().toList();
    assertEquals("", lines.get(1));
    assertEquals(
        """
        backend kernel: not usable
          needs    the mitosis kernel module, and read and write access to its device \
        /dev/mitosis-syscalls
          found    no device
          to do    load it
          build    make -C native-module/kernel, with gcc, make and the headers of kernel 6.1.0
          load     sudo insmod native-module/kernel/mitosis.ko machine_id=0

        backend user: ready
          needs    Linux on x86-64 with glibc 2.31 or newer, a directory for its native programs that allows execution, a \
        runtime directory for its daemon
          found    libmitosis works
          programs /programs
          runtime  /runtime
          daemon   starts and answers

        benchmarks use: user (because)

        this machine
          host     lab
          kernel   Linux 6.1.0
          system   unknown
          cpu      1 x Some CPU
          memory   1024 MiB of memory of this test: working sets up to 832 MiB
          thp      transparent huge pages: madvise
          uffd     userfaultfd: allowed to this user
          children lean containers of this test
          rdma     no device: pages of other machines come over TCP
        """,
        String.join("\n", lines.subList(2, lines.size() - 1)) + "\n");
    assertTrue(lines.get(lines.size() - 1).startsWith("  disk     "));
  }

  @Test
  void aMachineWithNothingSaysWhatToDo() {
    machine.availabilities.add(Availability.missing(Backend.KERNEL, "no device", "load it"));
    machine.availabilities.add(Availability.missing(Backend.USER, "no daemon", "start it"));
    machine.right = new UserfaultfdRight(false, "not in this kernel");
    assertEquals(3, run());
    assertTrue(output().contains("  module   cannot be loaded here: "), output());
    assertTrue(output().contains("  to do    start it\n"), output());
    assertTrue(output().contains("\nbenchmarks cannot run: "), output());
    assertTrue(output().contains("userfaultfd: not in this kernel"), output());
  }

  @Test
  void aForcedBackendThatIsMissingIsAFailureWhateverElseIsThere() {
    machine.availabilities.add(Availability.available(Backend.USER, "libmitosis works"));
    machine.choosing = MitosisException.of(Operation.OPEN, Errno.ENODEV).problem("forced").build();
    assertEquals(3, run());
    assertTrue(output().contains("backend user: ready\n"), output());
    assertTrue(output().contains("\nbenchmarks cannot run: open failed: forced"), output());
  }

  @Test
  void aBackendThatFailsWhenTriedIsNotUsable() {
    machine.availabilities.add(Availability.available(Backend.USER, "libmitosis works"));
    machine.failure =
        MitosisException.of(Operation.LIST, Errno.ECONNRESET).advice("start again").build();
    assertEquals(3, run());
    assertTrue(output().contains("backend user: not usable\n"), output());
    assertTrue(output().contains("  but      list failed: "), output());
    assertTrue(output().contains("  daemon   not reached\n"), output());
  }

  @Test
  void theCauseOfAMissingPlaceForThePrograms() {
    machine.availabilities.add(Availability.available(Backend.USER, "libmitosis works"));
    machine.programs = MitosisException.of(Operation.OPEN, Errno.EACCES).problem("noexec").build();
    run();
    assertTrue(output().contains("  programs open failed: noexec (EACCES)\n"), output());
  }

  @Test
  void anRdmaDeviceIsListedWithWhatItLacks() throws IOException {
    file("sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE");
    file("sys/class/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand");
    file("sys/class/infiniband/mlx5_0/ports/1/rate", "100 Gb/sec (4X EDR)");
    machine.availabilities.add(Availability.available(Backend.USER, "libmitosis works"));
    assertEquals(0, run());
    assertTrue(
        output()
            .contains(
                "\n  rdma     mlx5_0 port 1 (nic_id 0): ACTIVE, InfiniBand, 100 Gb/sec (4X EDR)\n"),
        output());
    assertTrue(output().contains("\n           to do: modprobe rdma_ucm: there is no "), output());
    assertTrue(output().contains("\n           ibv_devinfo -v "), output());
  }

  @Test
  void helpChangesNothing() {
    assertEquals(0, run("--help"));
    assertTrue(output().contains("--tune"), output());
    assertEquals(0, machine.tried);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--fix", "--apply", "--tune --hold", "--tune --apply --restore", "all"})
  void argumentsThatDoNotFitAreOneLine(String line) {
    assertEquals(2, run(line.split(" ")));
    assertTrue(output().contains("see doctor --help"), output());
    assertEquals(1, output().lines().count());
    assertEquals(0, machine.tried);
  }

  private int run(String... args) {
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    return BenchCommands.run(new Doctor(machine, new MachineProbe(root), out), out, out, args)
        .number();
  }

  private String output() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private static final class FakeMachine implements Doctor.Subject {
    private final List<Availability> availabilities = new ArrayList<>();
    private MitosisException choosing;
    private MitosisException failure;
    private MitosisException programs;
    private UserfaultfdRight right = new UserfaultfdRight(true, "allowed to this user");
    private int tried;

    @Override
    public List<Availability> availabilities() {
      return availabilities;
    }

    @Override
    public BackendChoice choose() {
      if (choosing != null) {
        throw choosing;
      }
      return availabilities.stream()
          .filter(Availability::available)
          .findFirst()
          .map(found -> new BackendChoice(found.backend(), "because", availabilities))
          .orElseThrow(() -> MitosisException.of(Operation.OPEN, Errno.ENODEV).build());
    }

    @Override
    public void tryOut(Backend backend) {
      tried++;
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public Path nativeDirectory() {
      if (programs != null) {
        throw programs;
      }
      return Path.of("/programs");
    }

    @Override
    public Path runtimeDirectory() {
      return Path.of("/runtime");
    }

    @Override
    public String containers() {
      return "lean containers of this test";
    }

    @Override
    public UserfaultfdRight userfaultfd() {
      return right;
    }

    @Override
    public MachineMemory memory() {
      return new MachineMemory(1L << 30, "memory of this test");
    }
  }
}
