// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.Snapshot;
import org.mitosis.SnapshotContents;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;

/** The command {@code snapshots}: those of this machine, and what each has. */
@Command(
    name = "snapshots",
    header = "The snapshots of this machine, with their threads and open files.",
    description =
        "Lists the snapshots of this machine: handler id, whether it is pinned, the process ids of"
            + " its parent and of its shadow, and when it was prepared; with the user backend also"
            + " the numbers of its threads, open files beyond the standard three and mappings, and"
            + " the MiB of these mappings.")
final class SnapshotList implements BenchCommand {
  private static final String ROW = "%-10s  %-6s  %8s  %8s  %-19s  %7s  %5s  %8s  %s%n";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

  private final PrintStream out;

  SnapshotList(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    try (Device device = Mitosis.open()) {
      List<Snapshot> snapshots = device.list();
      if (snapshots.isEmpty()) {
        out.println("there are no snapshots on this machine");
        return ExitCode.DONE;
      }
      out.printf(
          ROW,
          "handler id",
          "pinned",
          "parent",
          "shadow",
          "prepared",
          "threads",
          "files",
          "mappings",
          "MiB");
      for (Snapshot snapshot : snapshots) {
        print(device, snapshot);
      }
      return ExitCode.DONE;
    }
  }

  private void print(Device device, Snapshot snapshot) {
    String[] has = {"-", "-", "-", "-"};
    try {
      SnapshotContents contents = device.contents(snapshot.handlerId());
      has[0] = Integer.toString(contents.threads());
      has[1] = Integer.toString(contents.files());
      has[2] = Integer.toString(contents.mappings());
      has[3] = Long.toString(contents.bytes() >> 20);
    } catch (MitosisException e) {
      // Of another user, gone meanwhile, or of the kernel module: the rest is known.
    }
    out.printf(
        ROW,
        Integer.toUnsignedString(snapshot.handlerId()),
        snapshot.pinned() ? "yes" : "no",
        snapshot.ownerPid(),
        snapshot.shadowPid() == 0 ? "-" : Integer.toString(snapshot.shadowPid()),
        TIME.format(snapshot.preparedAt()),
        has[0],
        has[1],
        has[2],
        has[3]);
  }
}
