// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.setting.ExitCode;

class TuningTest {
  private static final String CPUS = "sys/devices/system/cpu/";
  private static final String GOVERNOR = "/cpufreq/scaling_governor";
  private static final String ASLR = "proc/sys/kernel/randomize_va_space";
  private static final String THP = "sys/kernel/mm/transparent_hugepage/enabled";
  private static final String STATE = "run/mitosis-tune.json";

  @TempDir Path root;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @BeforeEach
  void aServerOfRoot() throws IOException {
    file("proc/self/status", "Uid:\t0\t0\t0\t0\n");
    file(CPUS + "cpu0" + GOVERNOR, "powersave\n");
    file(CPUS + "cpu1" + GOVERNOR, "performance\n");
    file(CPUS + "intel_pstate/no_turbo", "0\n");
    file(ASLR, "2\n");
    file(THP, "[always] madvise never\n");
    file(CPUS + "smt/control", "on\n");
  }

  @Test
  void saysEachStateAndWhatToSetAndChangesNothing() throws IOException {
    Map<String, String> before = content();
    assertEquals(ExitCode.DONE, tuning().say());
    assertEquals(before, content());
    String text = bytes.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("  governor performance and powersave: set performance ("), text);
    assertTrue(text.contains("tee /" + CPUS + "cpu*" + GOVERNOR + "\n"), text);
    assertTrue(text.contains("  turbo    0: set 1 ("), text);
    assertTrue(text.contains("  aslr     2: nothing to do\n"), text);
    assertTrue(text.contains("  thp      always: set madvise ("), text);
    assertTrue(text.contains("  smt      on: set off ("), text);
  }

  @Test
  void appliesAndRestoresExactlyWhatWasThere() throws IOException {
    assertEquals(ExitCode.DONE, tuning().apply(), this::text);
    assertEquals("performance", value(CPUS + "cpu0" + GOVERNOR));
    assertEquals("1", value(CPUS + "intel_pstate/no_turbo"));
    assertEquals("madvise", value(THP));
    assertEquals("off", value(CPUS + "smt/control"));
    assertEquals("2", value(ASLR));
    assertEquals(ExitCode.DONE, tuning().restore(), this::text);
    assertEquals("powersave", value(CPUS + "cpu0" + GOVERNOR));
    assertEquals("performance", value(CPUS + "cpu1" + GOVERNOR));
    assertEquals("0", value(CPUS + "intel_pstate/no_turbo"));
    assertEquals("always", value(THP));
    assertEquals("on", value(CPUS + "smt/control"));
    assertFalse(Files.exists(root.resolve(STATE)));
  }

  @Test
  void applyingTwiceKeepsTheFirstValues() throws IOException {
    tuning().apply();
    file(CPUS + "cpu0" + GOVERNOR, "ondemand\n"); // by another program
    tuning().apply();
    tuning().restore();
    assertEquals("powersave", value(CPUS + "cpu0" + GOVERNOR));
  }

  @Test
  void amdHasAnotherSwitchOfTurbo() throws IOException {
    Files.delete(root.resolve(CPUS + "intel_pstate/no_turbo"));
    file(CPUS + "cpufreq/boost", "1\n");
    assertEquals(ExitCode.DONE, tuning().apply());
    assertEquals("0", value(CPUS + "cpufreq/boost"));
  }

  @Test
  void whatAMachineDoesNotHaveIsLeftAlone() throws IOException {
    file(CPUS + "smt/control", "notsupported\n");
    Files.delete(root.resolve(CPUS + "intel_pstate/no_turbo"));
    assertEquals(ExitCode.DONE, tuning().apply());
    assertEquals("notsupported", value(CPUS + "smt/control"));
    tuning().say();
    assertTrue(text().contains("  smt      cannot be set on this machine\n"), text());
    assertTrue(text().contains("  turbo    cannot be set on this machine\n"), text());
  }

  @Test
  void withoutRootNothingIsSet() throws IOException {
    file("proc/self/status", "Uid:\t0\t1000\t0\t0\n");
    Map<String, String> before = content();
    assertEquals(ExitCode.NOT_HERE, tuning().apply());
    assertEquals(ExitCode.NOT_HERE, tuning().restore());
    assertEquals(before, content());
    assertTrue(text().contains("needs root: run 'sudo "), text());
  }

  @Test
  void aFileThatCannotBeReadIsToldAndTheOthersAreSet() throws IOException {
    Files.delete(root.resolve(THP));
    Files.createDirectory(root.resolve(THP)); // writing fails, for root as well
    assertEquals(ExitCode.FAILED, tuning().apply());
    assertTrue(text().contains("/" + THP + " cannot be read, so it is not set\n"), text());
    assertFalse(Files.readString(root.resolve(STATE)).contains(THP));
    assertEquals("off", value(CPUS + "smt/control"));
  }

  @Test
  void holdRestoresWhenItsInputEnds() throws IOException {
    assertEquals(
        ExitCode.DONE,
        tuning().hold(new ByteArrayInputStream("\n".getBytes(StandardCharsets.UTF_8))));
    assertEquals("powersave", value(CPUS + "cpu0" + GOVERNOR));
    assertTrue(text().contains(": powersave -> performance\n"), text());
    assertFalse(Files.exists(root.resolve(STATE)));
  }

  @Test
  void aStateFileWritesToNoOtherFile() throws IOException {
    file("etc/shadow", "root\n");
    file(STATE, "{\"etc/shadow\":\"nothing\"}");
    assertEquals(ExitCode.FAILED, tuning().restore());
    assertEquals("root", value("etc/shadow"));
    assertTrue(text().contains("names etc/shadow, which is no setting of --tune"), text());
    file(STATE, "{\"" + CPUS + "../../../../etc/shadow\":\"nothing\"}");
    assertEquals(ExitCode.FAILED, tuning().restore());
    file(STATE, "{\"proc");
    assertEquals(ExitCode.FAILED, tuning().restore());
    assertTrue(text().contains("/" + STATE + " is damaged"), text());
  }

  @Test
  void thereMayBeNothingToRestore() {
    assertEquals(ExitCode.DONE, tuning().restore());
    assertTrue(text().startsWith("nothing to restore: "), text());
  }

  private Tuning tuning() {
    return new Tuning(root, new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private String value(String file) throws IOException {
    String text = Files.readString(root.resolve(file)).strip();
    return text.contains("[") ? text.replaceAll(".*\\[|\\].*", "") : text;
  }

  private Map<String, String> content() throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (var files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        content.put(root.relativize(file).toString(), Files.readString(file));
      }
    }
    return content;
  }

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
