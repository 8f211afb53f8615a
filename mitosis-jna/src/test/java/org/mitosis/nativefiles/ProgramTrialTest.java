// SPDX-License-Identifier: Apache-2.0
package org.mitosis.nativefiles;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Errno;
import org.mitosis.MitosisException;

/** A program that does not work is reported with what it said, and with what to do. */
@Timeout(60)
class ProgramTrialTest {
  @TempDir private Path folder;

  @Test
  void programThatEndsWellPasses() throws IOException {
    Path program = program("[ \"$1\" = --version ] && echo 1.0");
    assertDoesNotThrow(() -> ProgramTrial.require(program));
  }

  @Test
  void olderLibraryIsNamedInTheWordsOfTheLoader() throws IOException {
    MitosisException e =
        failure(
            program(
                "echo \"$0: libc.so.6: version 'GLIBC_2.38' not found\" >&2\necho second\nexit 1"));
    assertEquals(Errno.ENOEXEC, e.errno());
    assertTrue(e.getMessage().contains("version 'GLIBC_2.38' not found; second"), e.getMessage());
    assertTrue(e.getMessage().contains("exit code 1"), e.getMessage());
    assertTrue(e.getMessage().endsWith("use a system with glibc 2.31 or newer"), e.getMessage());
    assertFalse(e.getMessage().contains("noexec"), e.getMessage());
  }

  @Test
  void silentFailureSaysHowToLook() throws IOException {
    Path program = program("exit 127");
    MitosisException e = failure(program);
    assertEquals(Errno.ENOEXEC, e.errno());
    assertTrue(e.getMessage().contains("exit code 127, and it printed nothing"), e.getMessage());
    assertTrue(e.getMessage().endsWith("run " + program + " --version by hand"), e.getMessage());
  }

  @Test
  void onlyOneThatCannotStartIsBlamedOnTheFileSystem() throws IOException {
    Path program = program("exit 0");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rw-------"));
    MitosisException e = failure(program);
    assertEquals(Errno.EACCES, e.errno());
    assertTrue(e.getMessage().endsWith("not mounted noexec"), e.getMessage());
  }

  private static MitosisException failure(Path program) {
    return assertThrows(MitosisException.class, () -> ProgramTrial.require(program));
  }

  private Path program(String script) throws IOException {
    Path program = Files.writeString(folder.resolve("program"), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return program;
  }
}
