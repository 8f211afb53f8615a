// SPDX-License-Identifier: Apache-2.0
package org.mitosis.nativefiles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.mitosis.Errno;
import org.mitosis.MitosisException;

/**
 * Whether the native programs run: only running one tells whether its file system lets programs
 * run, and whether the C library of this system is new enough.
 */
final class ProgramTrial {
  /** What the programs are linked for: native-module/tests/check-versions. */
  private static final String OLDEST_GLIBC = "2.31";

  private static final Path LOADER = Path.of("/lib64/ld-linux-x86-64.so.2");
  private static final long DEADLINE_S = 10;
  private static final int OUTPUT_MAX = 2000; // bytes

  private ProgramTrial() {}

  /**
   * Runs a program with {@code --version}.
   *
   * @throws MitosisException (open) EACCES if it cannot be started, ENOEXEC if it fails; with what
   *     it printed
   */
  static void require(Path program) {
    Process process;
    try {
      process =
          new ProcessBuilder(program.toString(), "--version").redirectErrorStream(true).start();
    } catch (IOException e) {
      if (Files.isExecutable(program) && Files.notExists(LOADER)) {
        throw noSystem(program, "there is no " + LOADER);
      }
      throw noExecution(program, "refused");
    }
    try {
      process.getOutputStream().close();
      if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) {
        throw noExecution(program, "no answer within " + DEADLINE_S + " s");
      }
      if (process.exitValue() != 0) {
        throw noSystem(program, said(process));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw noExecution(program, "interrupted");
    } catch (IOException e) {
      throw noExecution(program, e.getMessage());
    } finally {
      process.destroyForcibly();
    }
  }

  /** The output of a process that has ended, in one line. */
  private static String said(Process process) throws IOException {
    InputStream output = process.getInputStream();
    // Not until its end: a process that it started may still hold the pipe.
    byte[] read = output.readNBytes(Math.min(output.available(), OUTPUT_MAX));
    String text = new String(read, StandardCharsets.UTF_8).strip().replaceAll("\\s*\\R\\s*", "; ");
    return "exit code "
        + process.exitValue()
        + (text.isEmpty() ? ", and it printed nothing" : ": " + text);
  }

  private static MitosisException noSystem(Path program, String why) {
    return NativeFiles.failure(
        Errno.ENOEXEC,
        program.getFileName() + " does not work on this system (" + why + ")",
        why.contains("GLIBC_") || why.startsWith("there is no")
            ? "use a system with glibc " + OLDEST_GLIBC + " or newer"
            : "run " + program + " --version by hand");
  }

  private static MitosisException noExecution(Path program, String why) {
    return NativeFiles.failure(
        Errno.EACCES,
        "programs cannot be run from " + program.getParent() + " (" + why + ")",
        NativeFiles.ELSEWHERE + ", on a file system that is not mounted noexec");
  }
}
