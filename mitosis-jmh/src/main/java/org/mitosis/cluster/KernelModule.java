// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.mitosis.fixture.Machine;
import org.mitosis.nativefiles.NativeFiles;
import org.mitosis.setting.MissingPrerequisite;

/**
 * Builds the kernel module on the machine of an agent, from the sources in the jar and with the
 * headers of the running kernel, and loads it. Needs root.
 */
final class KernelModule {
  private static final String SOURCES = "kernel-module/";
  private static final String NAME = "mitosis";
  private static final long BUILD_DEADLINE_S = 600;
  private static final long LOAD_DEADLINE_S = 60;

  /** The deadline of {@link #load}: to unload, build and load, with a margin. */
  static final Duration LOAD_DEADLINE =
      Duration.ofSeconds(BUILD_DEADLINE_S + 2 * LOAD_DEADLINE_S + 30);

  private final Path keyFile;

  /**
   * The module of this machine.
   *
   * @param directory where the key is stored while the module is loaded
   */
  KernelModule(Path directory) {
    this.keyFile = directory.resolve("module.key");
  }

  /**
   * Builds and loads the module; returns what was done, one message each. Unloads a module that an
   * agent has loaded, because each run has a key of its own. A module of another user stays, and
   * must have the parameters of this run.
   */
  List<String> load(Task.LoadModule how) throws IOException {
    if (isLoadedByOthers()) {
      checkLoaded(how);
      return List.of("the module " + NAME + " was loaded by another user, and keeps its key");
    }
    List<String> done = new ArrayList<>(unload());
    Path folder = NativeFiles.unpackBeside(sources()).resolve("kernel");
    String jobs = "-j" + Runtime.getRuntime().availableProcessors();
    execute(BUILD_DEADLINE_S, "make", jobs, "-C", folder.toString());
    writeKey(how.key());
    List<String> insmod =
        new ArrayList<>(
            List.of(
                "insmod",
                folder.resolve(NAME + ".ko").toString(),
                "machine_id=" + how.machineId(),
                "key_file=" + keyFile));
    if (!how.listen().isEmpty()) {
      insmod.add("listen=" + how.listen());
    }
    execute(LOAD_DEADLINE_S, insmod.toArray(String[]::new));
    done.add("built and loaded the module " + NAME + ", machine_id=" + how.machineId());
    return done;
  }

  private static void checkLoaded(Task.LoadModule how) {
    String machineId = Machine.moduleParameter("machine_id");
    String listen = Machine.moduleParameter("listen");
    if (!machineId.equals(Integer.toString(how.machineId()))
        || (!how.listen().isEmpty() && !listen.equals(how.listen()))) {
      throw new MissingPrerequisite(
          "the module "
              + NAME
              + " was loaded by another user with machine_id="
              + machineId
              + " listen="
              + listen
              + ", where this run needs machine_id="
              + how.machineId()
              + (how.listen().isEmpty() ? "" : " listen=" + how.listen())
              + ": unload it (mitosis-unprepare --all-users; rmmod "
              + NAME
              + ")");
    }
  }

  private void writeKey(byte[] key) throws IOException {
    Files.deleteIfExists(keyFile);
    Files.createFile(
        keyFile,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(keyFile, key);
  }

  /** Unloads the module if an agent has loaded it; returns what was done, one message each. */
  List<String> unload() throws IOException {
    if (!isLoaded()) {
      Files.deleteIfExists(keyFile);
      return List.of();
    }
    if (isLoadedByOthers()) {
      return List.of("the module " + NAME + " was loaded by another user, and stays");
    }
    execute(LOAD_DEADLINE_S, "rmmod", NAME);
    Files.delete(keyFile);
    return List.of("unloaded the module " + NAME);
  }

  private static boolean isLoaded() {
    return Files.exists(Path.of("/sys/module", NAME));
  }

  private boolean isLoadedByOthers() {
    return isLoaded() && !Files.exists(keyFile);
  }

  private static SortedMap<String, byte[]> sources() throws IOException {
    SortedMap<String, byte[]> files = new TreeMap<>();
    try (JarFile jar = new JarFile(Bootstrap.thisJar().toFile())) {
      for (JarEntry entry : Collections.list(jar.entries())) {
        if (entry.getName().startsWith(SOURCES) && !entry.isDirectory()) {
          try (InputStream in = jar.getInputStream(entry)) {
            files.put(entry.getName().substring(SOURCES.length()), in.readAllBytes());
          }
        }
      }
    }
    if (!files.containsKey("kernel/Makefile")) {
      throw new MissingPrerequisite(
          "this benchmarks.jar has no kernel module in it: use BACKEND=user");
    }
    return files;
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
