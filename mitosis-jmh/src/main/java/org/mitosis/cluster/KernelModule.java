// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.mitosis.NativeFiles;
import org.mitosis.fixture.MissingPrerequisite;

/**
 * The kernel module on the machine of an agent: built from the sources that travel in the jar, with
 * the headers of the running kernel, and loaded. Needs root.
 */
final class KernelModule {
  private static final String INDEX = "/kernel-module/files.txt";
  private static final String SOURCES = "/kernel-module/";
  private static final String NAME = "mitosis";
  private static final long BUILD_DEADLINE_S = 300;
  private static final long LOAD_DEADLINE_S = 60;

  /**
   * Builds and loads it, unless it is loaded.
   *
   * @param machineId this machine's
   * @return what was done, one sentence each
   */
  List<String> load(int machineId) throws IOException {
    if (isLoaded()) {
      return List.of("the module " + NAME + " is loaded already");
    }
    Path folder = NativeFiles.unpackBeside(sources()).resolve("kernel");
    execute(BUILD_DEADLINE_S, "make", "-C", folder.toString());
    execute(
        LOAD_DEADLINE_S, "insmod", folder.resolve(NAME + ".ko").toString(), "mac_id=" + machineId);
    return List.of("built and loaded the module " + NAME + ", mac_id=" + machineId);
  }

  /** Unloads it, if it is loaded; what was done, one sentence each. */
  List<String> unload() throws IOException {
    if (!isLoaded()) {
      return List.of();
    }
    execute(LOAD_DEADLINE_S, "rmmod", NAME);
    return List.of("unloaded the module " + NAME);
  }

  private static boolean isLoaded() {
    return Files.exists(Path.of("/sys/module", NAME));
  }

  private static SortedMap<String, byte[]> sources() throws IOException {
    SortedMap<String, byte[]> files = new TreeMap<>();
    for (String name : new String(read(INDEX), StandardCharsets.UTF_8).lines().toList()) {
      files.put(name, read(SOURCES + name));
    }
    return files;
  }

  private static byte[] read(String resource) throws IOException {
    try (InputStream in = KernelModule.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new MissingPrerequisite(
            "this benchmarks.jar has no kernel module in it (" + resource + "): use BACKEND=user");
      }
      return in.readAllBytes();
    }
  }

  private static void execute(long deadlineS, String... command) throws IOException {
    Path log = Files.createTempFile("mitosis-module", ".log");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      boolean ended = process.waitFor(deadlineS, TimeUnit.SECONDS);
      if (!ended) {
        process.destroyForcibly();
      }
      if (!ended || process.exitValue() != 0) {
        throw new MissingPrerequisite(
            "'"
                + String.join(" ", command)
                + "' failed: "
                + (ended ? lastLines(log) : "not done after " + deadlineS + " s")
                + "; needs root, make, gcc and the headers of the running kernel"
                + " (linux-headers-$(uname -r))");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted");
    } finally {
      Files.deleteIfExists(log);
    }
  }

  private static String lastLines(Path log) throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(log));
    return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
  }
}
