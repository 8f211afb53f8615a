// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.nativefiles.NativeFiles;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.MachineFacts;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.ResultFolder;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import org.mitosis.setting.MissingPrerequisite;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command {@code doctor}: what works on this machine, what does not, and what to do about it.
 */
@Command(
    name = "doctor",
    header = "What works on this machine, what does not, and what to do about it.",
    description =
        "Reports for each backend what it needs, whether that is available, and what to do if not;"
            + " then other properties of this machine. Starts the user backend's daemon briefly;"
            + " changes nothing.")
final class Doctor implements BenchCommand {
  private static final Map<Backend, String> NEEDS =
      Map.of(
          Backend.KERNEL,
          "the mitosis kernel module, and read and write access to its device "
              + "/dev/mitosis-syscalls",
          Backend.USER,
          "Linux on x86-64 with glibc 2.31 or newer, a directory for its native programs that allows execution, a runtime "
              + "directory for its daemon");

  /** The parts of the machine that are not read from files. */
  interface Subject {
    /** The availability of every backend. */
    List<Availability> availabilities();

    /** The backend that would be used. */
    BackendChoice choose();

    /** Opens a device, enters the backend and asks for its snapshots. */
    void tryOut(Backend backend);

    /** The directory of the unpacked native programs. */
    Path nativeDirectory();

    /** The directory of the daemon. */
    Path runtimeDirectory();

    /** A description of lean containers on this machine. */
    String containers();

    /** Whether children can get their pages by userfaultfd. */
    UserfaultfdRight userfaultfd();

    /** Memory for working sets. */
    MachineMemory memory();
  }

  @Option(
      names = "--tune",
      description =
          "Reports instead which settings make times scatter (frequency governor, turbo, ASLR,"
              + " transparent huge pages, SMT) and what to set them to; changes nothing.")
  private boolean tune;

  @Option(
      names = "--apply",
      description =
          "With --tune: sets them, as root, and saves the former values in"
              + " /run/mitosis-tune.json.")
  private boolean apply;

  @Option(
      names = "--hold",
      description = "With --tune --apply: restores the former values on Enter or Ctrl-C.")
  private boolean hold;

  @Option(
      names = "--restore",
      description = "With --tune: restores the values from before --apply.")
  private boolean restore;

  @Spec private CommandSpec spec;

  private final Subject subject;
  private final MachineProbe probe;
  private final PrintStream out;

  Doctor(Subject subject, MachineProbe probe, PrintStream out) {
    this.subject = subject;
    this.probe = probe;
    this.out = out;
  }

  static Doctor ofThisMachine(MachineProbe probe, PrintStream out) {
    return new Doctor(new ThisMachine(probe), probe, out);
  }

  @Override
  public ExitCode run(List<String> given) {
    if (apply && restore || hold && !apply || !tune && (apply || restore)) {
      throw new ParameterException(
          spec.commandLine(),
          "takes --tune, --tune --apply, --tune --apply --hold or --tune --restore");
    }
    if (tune) {
      Tuning tuning = new Tuning(Path.of("/"), out);
      return hold
          ? tuning.hold(System.in)
          : apply ? tuning.apply() : restore ? tuning.restore() : tuning.say();
    }
    out.println(Main.version(BuildInfo.current()));
    Set<Backend> usable = EnumSet.noneOf(Backend.class);
    for (Availability availability : subject.availabilities()) {
      if (backend(availability)) {
        usable.add(availability.backend());
      }
    }
    boolean ready = choice(usable);
    facts(probe.machine());
    return ready ? ExitCode.DONE : ExitCode.NOT_HERE;
  }

  private boolean backend(Availability found) {
    String failure = "";
    if (found.available()) {
      try {
        subject.tryOut(found.backend());
      } catch (MitosisException e) {
        failure = e.getMessage();
      }
    }
    boolean usable = found.available() && failure.isEmpty();
    out.println();
    out.println("backend " + found.backend() + ": " + (usable ? "ready" : "not usable"));
    line("needs", NEEDS.get(found.backend()));
    line("found", found.cause());
    if (!failure.isEmpty()) {
      line("but", failure);
    }
    if (!found.remedy().isEmpty()) {
      line("to do", found.remedy());
    }
    if (found.backend() == Backend.KERNEL && !found.available()) {
      module(KernelModuleOutlook.read(probe::text));
    }
    if (found.backend() == Backend.USER) {
      line("programs", directory(subject::nativeDirectory));
      line("runtime", directory(subject::runtimeDirectory));
      line("daemon", usable ? "starts and answers" : "not reached");
    }
    return usable;
  }

  private void module(KernelModuleOutlook outlook) {
    if (outlook.obstacle().isEmpty()) {
      line("build", outlook.build());
      line("load", outlook.load());
    } else {
      line("module", "cannot be loaded here: " + outlook.obstacle());
    }
  }

  private static String directory(Supplier<Path> directory) {
    try {
      return directory.get().toString();
    } catch (MitosisException e) {
      return e.getMessage();
    }
  }

  /** Prints the backend that benchmarks would use; false if there is none, or it is not usable. */
  private boolean choice(Set<Backend> usable) {
    out.println();
    try {
      BackendChoice choice = subject.choose();
      out.println("benchmarks use: " + choice.backend() + " (" + choice.reason() + ")");
      return usable.contains(choice.backend());
    } catch (MitosisException | IllegalArgumentException e) {
      out.println("benchmarks cannot run: " + e.getMessage());
      return false;
    }
  }

  private void facts(MachineFacts machine) {
    out.println();
    out.println("this machine");
    line("host", known(machine.host()));
    line("kernel", known(machine.kernel().name()) + " " + known(machine.kernel().release()));
    line("system", known(machine.distribution()));
    line("cpu", known(machine.cpu().logical()) + " x " + known(machine.cpu().model()));
    line("memory", memory());
    line("thp", hugePages(machine.memory().hugePages()));
    line("uffd", "userfaultfd: " + subject.userfaultfd().state());
    line("children", subject.containers());
    rdma(RdmaDevices.read(probe));
    line("disk", disk(Path.of("").toAbsolutePath()));
  }

  private void rdma(RdmaDevices devices) {
    if (devices.found().isEmpty()) {
      line("rdma", "no device: pages of other machines come over TCP");
      devices.missing().forEach(missing -> line("", "to do: " + missing));
      return;
    }
    devices.found().forEach(found -> line("rdma", found));
    devices.missing().forEach(missing -> line("", "to do: " + missing));
    line("", "ibv_devinfo -v (package ibverbs-utils) says more; see docs/rdma.md");
  }

  private String memory() {
    MachineMemory memory = subject.memory();
    return mebibytes(memory.availableBytes())
        + " of "
        + memory.source()
        + ": working sets up to "
        + mebibytes(Math.max(0, memory.availableBytes() - MachineMemory.OVERHEAD_BYTES));
  }

  private static String hugePages(String setting) {
    return setting == null
        ? "transparent huge pages: unknown"
        : "transparent huge pages: "
            + setting
            + (setting.equals("always")
                ? " (prepare and fork cost much less than with 4 KiB pages)"
                : "");
  }

  private static String disk(Path workingDirectory) {
    String exact = System.getProperty(ResultFolder.PROPERTY, "");
    Path results = workingDirectory.resolve(exact.isEmpty() ? "results" : exact).normalize();
    Path existing = results;
    while (existing != null && Files.notExists(existing)) {
      existing = existing.getParent();
    }
    try {
      return mebibytes(Files.getFileStore(existing == null ? results : existing).getUsableSpace())
          + " free for "
          + results
          + (Files.isWritable(existing) ? "" : ", which this user may not write to");
    } catch (IOException e) {
      return "unknown for " + results + ": " + FileFailure.reason(e);
    }
  }

  private static String mebibytes(long bytes) {
    return (bytes >> 20) + " MiB";
  }

  private static String known(Object value) {
    return value == null ? "unknown" : value.toString();
  }

  private void line(String name, String text) {
    out.println(String.format(Locale.ROOT, "  %-8s %s", name, text));
  }

  /** The machine this runs on. */
  private static final class ThisMachine implements Subject {
    private final MachineProbe probe;

    ThisMachine(MachineProbe probe) {
      this.probe = probe;
    }

    @Override
    public List<Availability> availabilities() {
      return Mitosis.availabilities();
    }

    @Override
    public BackendChoice choose() {
      return Mitosis.choose();
    }

    @Override
    public void tryOut(Backend backend) {
      try (Device device = Mitosis.open(backend)) {
        device.nil();
        if (backend == Backend.USER) {
          device.list(); // asks the daemon, and so starts it
        }
      }
    }

    @Override
    public Path nativeDirectory() {
      return NativeFiles.path("mitosisd").getParent();
    }

    /** The choice of libmitosis: runtime_dir.h. */
    @Override
    public Path runtimeDirectory() {
      String given = System.getenv("MITOSIS_RUNTIME_DIR");
      if (given != null && !given.isEmpty()) {
        return Path.of(given);
      }
      if ("0".equals(userId())) {
        return Path.of("/run/mitosis");
      }
      String session = System.getenv("XDG_RUNTIME_DIR");
      return session != null && !session.isEmpty()
          ? Path.of(session, "mitosis")
          : Path.of("/tmp/mitosis-" + userId());
    }

    private String userId() {
      String status = String.valueOf(probe.text("proc/self/status"));
      return status
          .lines()
          .filter(line -> line.startsWith("Uid:"))
          .map(line -> line.split("\\s+")[1])
          .findFirst()
          .orElse("UID");
    }

    @Override
    public String containers() {
      try (ChildLauncher launcher = ChildLauncher.ofEmptyContainers().start()) {
        return "lean containers: namespaces "
            + launcher.namespaces()
            + ", control groups "
            + launcher.controlGroups()
            + (launcher.reason().isEmpty() ? "" : " (" + launcher.reason() + ")");
      } catch (MissingPrerequisite e) {
        return "lean containers: unknown: " + e.getMessage();
      }
    }

    @Override
    public UserfaultfdRight userfaultfd() {
      return UserfaultfdRight.read();
    }

    @Override
    public MachineMemory memory() {
      return MachineMemory.read();
    }
  }
}
