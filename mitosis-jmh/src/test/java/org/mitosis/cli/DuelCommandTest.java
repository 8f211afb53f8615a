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
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.result.MachineProbe;

/** What a duel refuses before it starts a process. */
class DuelCommandTest {
  @TempDir Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @ParameterizedTest
  @CsvSource({
    "'', 'takes two versions, OLD and NEW, got 0'",
    "a, 'takes two versions, OLD and NEW, got 1'",
    "--seed, 'missing required parameter for option ''--seed'' (N)'",
    "--seed x a b, 'invalid value for option ''--seed'': must be an integer, got ''x'''",
    "--forks 1 a b, '''--forks'': must be a number from 2 to 1000, got ''1'''",
    "--forks 1001 a b, 'got ''1001'''",
    "--forks 9999999999 a b, 'got ''9999999999'''",
    "-wi 1 a b, 'there is no option -wi before OLD and NEW'",
    "a b -nosuch, 'there is no option -nosuch; -h lists JMH''s options'",
    "a b -i none, 'cannot parse argument ''none'' of option i'",
    "a b -bm best, 'unable to parse benchmark mode'",
    "a b -foe maybe, '-foe must be true or false, got ''maybe'''",
    "a b --foe maybe, '--foe must be true or false, got ''maybe'''",
    "a b -prof nosuch, 'there is no profiler ''nosuch'''",
    "a b -prof gc:foo=bar, '-prof gc:foo=bar: there is no option foo'",
    "a b -jvm /no/java, '-jvm /no/java is not a program'",
    "a b -f 3, 'leave out -f, and give their number with --forks N'",
    "a b -rf json, 'leave out -rf and -rff'",
    "a b NilCall(, '''NilCall('' is not a regular expression'",
    "a b --pin=foo, '--pin must be one of'",
    "--resume, 'missing required parameter for option ''--resume'' (DIR)'",
    "--resume a b, 'takes one folder and no options'",
  })
  void badArgumentsGetOneLineThatNamesTheHelp(String line, String message) {
    assertEquals(2, run(line.isEmpty() ? new String[0] : line.split(" ")));
    assertTrue(errors().contains(message), errors());
    assertTrue(errors().contains("duel --help"), errors());
    assertEquals(1, errors().lines().count(), errors());
  }

  @Test
  void aMissingJarAndAnotherFileAreNamed() throws IOException {
    Path missing = directory.resolve("none.jar");
    assertEquals(1, run(missing.toString(), missing.toString()));
    assertTrue(errors().contains(missing + " does not exist"), errors());
    Path other = Files.writeString(directory.resolve("other.jar"), "text");
    assertEquals(1, run(other.toString(), other.toString()));
    assertTrue(errors().contains(other + " is no benchmarks.jar"), errors());
  }

  @Test
  void aPlanThatThisMachineCannotHaveIsNamedBeforeTheFirstFork() throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Main.class.getName());
    Path jar = directory.resolve("benchmarks.jar");
    try (JarOutputStream file = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      file.putNextEntry(new ZipEntry("META-INF/BenchmarkList"));
    }
    Path root = directory.resolve("root");
    Files.createDirectories(root.resolve("proc/self"));
    Files.writeString(root.resolve("proc/self/status"), "Cpus_allowed_list:\t0-1\n");
    assertEquals(3, run(root, jar.toString(), jar.toString(), "--pin"));
    assertTrue(errors().startsWith("mitosis: --pin needs 4 CPUs"), errors());
    String plan = "--pin=jvm=0/parent=1/daemon=2/children=3";
    assertEquals(3, run(root, jar.toString(), jar.toString(), plan));
    assertTrue(errors().contains("daemon cannot run on CPU 2"), errors());
  }

  @Test
  void aFolderWithoutADuelIsNamed() {
    assertEquals(1, run("--resume", directory.toString()));
    assertTrue(errors().contains(directory + " holds no duel"), errors());
  }

  @Test
  void helpIsHelp() {
    assertEquals(0, run("--help"));
    assertTrue(out.toString(StandardCharsets.UTF_8).contains("--forks=N"));
  }

  private int run(String... args) {
    return run(directory.resolve("no-such-root"), args);
  }

  private int run(Path root, String... args) {
    err.reset();
    PrintStream stdout = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream stderr = new PrintStream(err, true, StandardCharsets.UTF_8);
    return BenchCommands.run(
            new DuelCommand(new MachineProbe(root), stdout, stderr), stdout, stderr, args)
        .number();
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
