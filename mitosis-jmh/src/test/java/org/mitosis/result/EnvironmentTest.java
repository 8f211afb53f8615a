// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
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
  void aBuildWithoutGitIsUnknown() {
    Properties unfiltered = new Properties();
    unfiltered.setProperty("version", "${project.version}");
    unfiltered.setProperty("git.commit", "");
    assertEquals(new BuildInfo("unknown", "unknown", "unknown"), BuildInfo.of(unfiltered));
  }

  private Environment started() {
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
        new MachineProbe(bareRoot));
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
        new MachineFacts.Surroundings(hypervisor, null, null));
  }

  private static MachineFacts.State load(double oneMinute) {
    return new MachineFacts.State(List.of(oneMinute, 0.0, 0.0), null, null, null);
  }
}
