// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.mitosis.NativeModule;

/**
 * A machine that listens on TCP, and beside it those where its children are: runtime directories of
 * this host. The daemons of the others start by themselves.
 */
final class ParentsMachine {
  private static final int MACHINE = 1_900_000_003;
  private static final long DEADLINE_S = 20;

  private final Path folder;
  private final Path key;
  private final Process daemon;
  private final String address;

  /** Starts it with files in this folder. */
  ParentsMachine(Path folder) throws IOException {
    this.folder = folder;
    key =
        Files.createFile(
            folder.resolve("key"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, "0123456789abcdef-the-key-of-the-tests");
    daemon =
        new ProcessBuilder(
                NativeModule.built("linux-x86-64/mitosisd").toString(),
                "--foreground",
                "--runtime-dir",
                folder.resolve("parent").toString(),
                "--machine-id",
                Integer.toString(MACHINE),
                "--listen",
                "tcp://127.0.0.1:0",
                "--key-file",
                key.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader output =
        new BufferedReader(new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8));
    String line = String.valueOf(output.readLine());
    String before = "mitosisd: machine " + MACHINE + " listens at ";
    assertTrue(line.startsWith(before), line);
    address = line.substring(before.length());
  }

  /** The environment of a parent here. */
  Map<String, String> environment() {
    return Map.of(
        "MITOSIS_RUNTIME_DIR",
        folder.resolve("parent").toString(),
        "MITOSIS_KEY_FILE",
        key.toString());
  }

  /** The runtime directory of another machine, or how those of several begin. */
  String other() {
    return folder.resolve("child").toString();
  }

  /** Options of mitosis-child on the other machine. */
  String remote() {
    return "--remote " + MACHINE + " --address " + address;
  }

  /** What a parent maps: two pages, from m to z. */
  Path file() throws IOException {
    byte[] content = new byte[8192];
    content[0] = 'm';
    content[content.length - 1] = 'z';
    return Files.write(folder.resolve("mapped"), content);
  }

  /** Ends all daemons. */
  void end() throws IOException, InterruptedException {
    daemon.destroy();
    assertTrue(daemon.waitFor(DEADLINE_S, TimeUnit.SECONDS), "SIGTERM ends mitosisd");
    try (DirectoryStream<Path> others = Files.newDirectoryStream(folder, "child*")) {
      for (Path other : others) {
        Path file = other.resolve("mitosisd.pid");
        String pid = Files.exists(file) ? Files.readString(file).strip() : "";
        if (!pid.isEmpty()) { // a daemon that has ended by itself leaves it empty
          ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroy);
        }
      }
    }
  }
}
