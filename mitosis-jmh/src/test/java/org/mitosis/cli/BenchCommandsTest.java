// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine;

/** What all commands have in common, and what is made from them. */
class BenchCommandsTest {
  private static final long DEADLINE_S = 60;

  @TempDir Path directory;

  /** The text of {@code help}. */
  static String help() {
    return said("--help").out();
  }

  private record Said(ExitCode code, String out, String err) {}

  private static Said said(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ExitCode code = commands(out, err).run(args);
    return new Said(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static BenchCommands commands(ByteArrayOutputStream out, ByteArrayOutputStream err) {
    return new BenchCommands(
        new MachineProbe(Path.of("/")),
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private static Map<String, CommandLine> all() {
    return commands(new ByteArrayOutputStream(), new ByteArrayOutputStream()).spec().subcommands();
  }

  static Set<String> names() {
    return all().keySet();
  }

  /** An option that sweep does not have is for JMH to refuse. */
  static List<String> strict() {
    return names().stream().filter(name -> !name.equals("sweep")).toList();
  }

  @Test
  void mainKnowsThemWithoutTheParser() {
    Set<String> known = new HashSet<>(Main.COMMANDS);
    assertTrue(known.remove("help"));
    assertEquals(names(), known);
  }

  @ParameterizedTest
  @MethodSource("names")
  void eachHasAHelpOfOneStyle(String name) {
    Said help = said(name, "--help");
    assertEquals(ExitCode.DONE, help.code());
    assertEquals("", help.err());
    List<String> lines = help.out().lines().toList();
    assertTrue(lines.get(0).endsWith("."), help.out());
    assertTrue(
        lines.get(2).startsWith("Usage: java -jar benchmarks.jar " + name + " "), help.out());
    assertTrue(help.out().contains("  -h, --help"), help.out());
    assertTrue(lines.stream().allMatch(line -> line.length() <= 100), help.out());
    assertFalse(help.out().contains("%%"), help.out());
    assertEquals(help, said(name, "-h"));
    assertTrue(help().contains("\n  " + name + " "), help());
  }

  @ParameterizedTest
  @MethodSource("strict")
  void eachRefusesAnOptionThatItLacksInOneLine(String name) {
    Said refused = said(name, "--no-such-option");
    assertEquals(ExitCode.WRONG_ARGUMENTS, refused.code(), refused.err());
    assertEquals("", refused.out());
    assertTrue(
        refused.err().startsWith("mitosis: " + name + ": there is no option --no-such-option"),
        refused.err());
    assertTrue(refused.err().endsWith(": see " + name + " --help\n"), refused.err());
    assertEquals(1, refused.err().lines().count(), refused.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "demo now | unexpected argument 'now'",
        "quick ForkPrepare | unexpected argument 'ForkPrepare'",
        "quick -p memorySize=1m | there is no option -p: see quick --help",
        "report --out x y | there is no option --out",
        "cluster chek | there is no target 'chek' (did you mean 'check'?); there are list, check,",
        "cluster check more | unexpected argument 'more'",
        "cluster check --force | --force is an option of clean only",
        "cluster check --launcher rsh | --launcher must be ssh or slurm, got 'rsh'",
        "cluster | missing required parameter: 'TARGET [KEY=VALUE]...'",
        "compare --correcton bh a b | (did you mean '--correction'?)",
      })
  void whatDoesNotFitIsNamed(String line, String problem) {
    Said refused = said(line.split(" "));
    assertEquals(ExitCode.WRONG_ARGUMENTS, refused.code());
    assertTrue(refused.err().contains(problem), refused.err());
  }

  @Test
  void theHelpHasEachExitCodeOnce() {
    for (ExitCode code : ExitCode.values()) {
      String first = "\n  " + code.number() + "   " + code.meaning().split(" ")[0];
      assertEquals(2, help().split(first, -1).length, help());
    }
    assertEquals(
        ExitCode.values().length,
        List.of(ExitCode.values()).stream().map(ExitCode::number).distinct().count());
  }

  @Test
  void bashCompletesWordsOptionsAndValues() throws Exception {
    Path bash = program("bash");
    Path script = Files.writeString(directory.resolve("completion"), said("completion").out());
    String completed =
        output(
            bash.toString(),
            "--norc",
            "-c",
            "compopt() { :; }; source '"
                + script
                + "'; for line in \"$@\"; do COMP_WORDS=(bench $line \"\"); [[ $line != *- ]] ||"
                + " COMP_WORDS=(bench $line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=();"
                + " _complete_mitosis-bench; echo \"$line: ${COMPREPLY[*]}\"; done;"
                + " complete -p mitosis-bench bench",
            "bash",
            "export --",
            "export --format",
            "doctor --",
            "");
    assertTrue(completed.contains("export --: --help --format\n"), completed);
    assertTrue(completed.contains("export --format: customSmallerIsBetter "), completed);
    assertTrue(completed.contains("doctor --: --tune --apply --hold --restore --help"), completed);
    assertTrue(completed.contains(" demo quick list cluster "), completed);
    assertTrue(completed.contains(" completion man-page"), completed);
    assertTrue(completed.contains("_complete_mitosis-bench bench\n"), completed);
  }

  @Test
  void theManPageHasAllWordsAndNoFault() throws Exception {
    String page = said("man-page").out();
    for (String name : names()) {
      assertTrue(page.contains("\n.SS " + name.replace("-", "\\-") + "\n"), name);
    }
    for (String name : Settings.KNOWN) {
      assertTrue(page.contains("\\-D" + name + "=") || name.equals("mitosis.results.hlog"), name);
    }
    Path file = Files.writeString(directory.resolve("mitosis-bench.1"), page);
    String shown =
        output(
            program("groff").toString(),
            "-man",
            "-Tutf8",
            "-ww",
            "-P-c",
            "-P-b",
            "-P-u",
            file.toString());
    assertFalse(shown.contains("warning"), shown);
    assertTrue(shown.contains("--fail-above=N%"), shown);
  }

  private static Path program(String name) {
    Path path = Path.of("/usr/bin", name);
    assumeTrue(Files.isExecutable(path), () -> "needs " + path);
    return path;
  }

  private String output(String... command) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    assertTrue(process.waitFor(DEADLINE_S, TimeUnit.SECONDS), "no end in time");
    String said = Files.readString(out);
    assertEquals(0, process.exitValue(), said);
    return said;
  }
}
