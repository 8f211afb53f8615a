// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;

class EnvironmentTest {
  private static final Instant STARTED = Instant.parse("2026-11-23T17:45:12Z");

  @TempDir Path bareRoot;

  @Test
  void isJsonWithEverythingThatIsKnown() throws IOException {
    JsonNode json = json(started());
    assertEquals(1, json.get("schema").asInt());
    assertEquals("running", json.get("outcome").asText());
    assertEquals("2026-11-23T17:45:12Z", json.get("started").asText());
    assertTrue(json.get("ended").isNull());
    assertEquals("ForkPrepare", json.get("commandLine").get(0).asText());
    assertEquals("1g does not fit", json.get("leftOut").get(0).asText());
    assertEquals("user", json.get("backend").get("chosen").asText());
    assertEquals("nothing better", json.get("backend").get("reason").asText());
    JsonNode kernel = json.get("backend").get("availabilities").get(0);
    assertEquals("kernel", kernel.get("backend").asText());
    assertEquals("no module", kernel.get("cause").asText());
    assertEquals(System.getProperty("java.version"), json.get("jvm").get("version").asText());
    assertTrue(json.get("machine").get("host").isNull());
    assertTrue(json.get("mitosis").has("commit"));
    assertTrue(json.get("before").has("load"));
    assertTrue(json.get("after").isNull());
  }

  @Test
  void saysHowTheRunEnded() throws IOException {
    Environment ended =
        started()
            .ended(
                Environment.Outcome.FAILED,
                STARTED.plusSeconds(5),
                List.of("ForkPrepare.workingSet memorySize=4096"),
                new MachineProbe(bareRoot));
    JsonNode json = json(ended);
    assertEquals("failed", json.get("outcome").asText());
    assertEquals("2026-11-23T17:45:17Z", json.get("ended").asText());
    assertEquals("ForkPrepare.workingSet memorySize=4096", json.get("failed").get(0).asText());
    assertTrue(json.get("after").isObject());
  }

  @Test
  void aQuietMachineHasNoWarnings() {
    assertEquals(
        List.of(),
        Environment.warnings(machine(List.of("performance"), "madvise", false), load(1)));
    assertEquals(List.of(), Environment.warnings(machine(null, null, null), load(1)));
    assertEquals(
        List.of(),
        Environment.warnings(
            machine(null, null, null), new MachineFacts.State(null, null, null, null)));
  }

  @Test
  void aNoisyMachineIsToldInWords() {
    List<String> warnings =
        Environment.warnings(machine(List.of("powersave"), "always", true), load(1.01));
    assertEquals(4, warnings.size());
    assertTrue(warnings.get(0).contains("governor is powersave"));
    assertTrue(warnings.get(1).contains("load 1.01 on 2 CPUs"));
    assertTrue(warnings.get(2).contains("transparent huge pages"));
    assertTrue(warnings.get(3).contains("virtual machine"));
  }

  @Test
  void whatChangedOrWasLostDuringTheRunIsAWarning() throws IOException {
    Path governor = file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    file("proc/cpuinfo", "processor : 0\n");
    file("proc/stat", "cpu 1 1 1 1 1 1 1 100 0 0\n");
    Environment started = started();
    Files.writeString(governor, "powersave\n");
    file("proc/stat", "cpu 1 1 1 1 1 1 1 150 0 0\n");

    List<String> warnings =
        started
            .ended(
                Environment.Outcome.COMPLETE,
                STARTED.plusSeconds(5),
                List.of(),
                new MachineProbe(bareRoot))
            .warnings();

    assertEquals(2, warnings.size(), warnings.toString());
    assertTrue(
        warnings.get(0).contains("(frequency governor: [performance] / [powersave])"),
        warnings.get(0));
    assertTrue(warnings.get(1).startsWith("steal in 10.0 % of the run's time"), warnings.get(1));
  }

  @Test
  void aQuietRunEndsWithoutAWarning() throws IOException {
    file("proc/stat", "cpu 1 1 1 1 1 1 1 100 0 0\n");
    file("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t0000000000000001\n");
    MachineProbe probe = new MachineProbe(bareRoot);
    Environment ended =
        started().ended(Environment.Outcome.COMPLETE, STARTED.plusSeconds(5), List.of(), probe);
    assertEquals(List.of(), ended.warnings());
  }

  @Test
  void rightsContainersAndToolsAreCompared() throws IOException {
    file("proc/self/status", "Uid:\t1000\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
    Environment root =
        started(new Tools("glibc 2.36", null, null, Map.of("numpy", "1"), null, "lean: v2"));
    file("proc/self/status", "Uid:\t0\t65534\t0\t0\nCapEff:\t0000000000000000\n");
    Environment other =
        started(new Tools("glibc 2.41", null, "3.11", Map.of("numpy", "2"), null, "lean: none"));

    assertEquals(
        List.of(
            "root: true / false",
            "capabilities: 000001ffffffffff / 0000000000000000",
            "lean containers: lean: v2 / lean: none",
            "C library: glibc 2.36 / glibc 2.41",
            "Python package numpy: 1 / 2"),
        EnvironmentDifference.between(root, other).stream()
            .map(EnvironmentDifference::toString)
            .toList());
  }

  @Test
  void aBuildWithoutGitIsUnknown() {
    Properties unfiltered = new Properties();
    unfiltered.setProperty("version", "${project.version}");
    unfiltered.setProperty("git.commit", "");
    assertEquals(new BuildInfo("unknown", "unknown", "unknown"), BuildInfo.of(unfiltered));
  }

  private Environment started() {
    return started(Tools.UNKNOWN);
  }

  private Path file(String name, String content) throws IOException {
    Path file = bareRoot.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  private Environment started(Tools tools) {
    BackendChoice choice =
        new BackendChoice(
            Backend.USER,
            "nothing better",
            List.of(
                Availability.missing(Backend.KERNEL, "no module", "load it"),
                Availability.available(Backend.USER, "it works")));
    return Environment.started(
        STARTED,
        List.of("ForkPrepare"),
        List.of("1g does not fit"),
        choice,
        new MachineProbe(bareRoot),
        tools,
        Environment.NO_CPU_PLAN);
  }

  private static JsonNode json(Environment environment) throws IOException {
    return new ObjectMapper().readTree(environment.toJson());
  }

  private static MachineFacts machine(
      List<String> governors, String hugePages, Boolean hypervisor) {
    return new MachineFacts(
        null,
        new MachineFacts.Kernel(null, null, null, null),
        null,
        null,
        new MachineFacts.Cpu(null, null, null, 2, null, governors, null, null, null, null),
        new MachineFacts.Memory(null, null, null, null, hugePages, null),
        null,
        new MachineFacts.Cgroups(null, List.of(), null, null, null),
        new MachineFacts.Surroundings(hypervisor, null, null),
        null,
        null,
        List.of());
  }

  private static MachineFacts.State load(double oneMinute) {
    return new MachineFacts.State(List.of(oneMinute, 0.0, 0.0), null, null, null);
  }
}
