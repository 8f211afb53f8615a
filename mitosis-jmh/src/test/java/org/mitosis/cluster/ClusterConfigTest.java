// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.fixture.MemorySize;
import org.mitosis.setting.MissingPrerequisite;

class ClusterConfigTest {
  @Test
  void refusesAPassword() {
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class, () -> ConfigFiles.config(Map.of("PWD", "secret"), "c.conf"));
    assertTrue(refused.getMessage().startsWith("c.conf: PWD holds a password"));
    assertTrue(refused.getMessage().contains("ssh key"), refused.getMessage());
    assertTrue(!refused.getMessage().contains("secret"), "does not show it");
  }

  @Test
  void namesAnUnknownKey() {
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class,
            () -> ConfigFiles.config(Map.of("CHILD_HOST", "val02"), "c.conf"));
    assertTrue(refused.getMessage().startsWith("c.conf: CHILD_HOST is not a key"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PARENT_HOST|-oProxyCommand=true",
        "PARENT_HOST|val 01",
        "CHILD_HOSTS|val02,val02",
        "CHILD_HOSTS|val02,$(reboot)",
        "USER|-l",
        "PROJECT_PATH|a b",
        "PROJECT_PATH|~/a",
        "PARENT_GID|fe80::1",
        "PARENT_ADDRESS|val01:x",
        "USE_PROXY_COMMAND|maybe",
        "DEPLOY|yes",
        "BACKEND|rdma",
        "FANOUT|tree:0",
        "VERIFY|yes",
        "FILES_MAP|/srv/data",
        "FILES_MAP|srv=/mnt",
        "FILES_MAP|/srv=mnt",
        "FILES_MAP|/srv=/mnt,/srv=/media",
        "LOOPS|0",
        "SECONDS|1.5",
        "TIMES|-1",
        "LEASE_SECONDS|1",
        "MEMORY_SIZES|1m,lots",
        "FUNCTIONS|helloworld,nothing",
        "TOUCH_RATIOS|0,101",
        "FILTER|[",
        "JAVA|java -version"
      })
  void namesTheKeyOfABadValue(String key, String value) {
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class, () -> ConfigFiles.config(Map.of(key, value), "c.conf"));
    assertTrue(refused.getMessage().startsWith("c.conf: " + key + " "), refused.getMessage());
  }

  @Test
  void quotedHostsAreOnlyChecked() {
    Map<String, String> same =
        Map.of("CHILD_HOSTS", "val02,val03", "STR_CHILD_HOSTS", "'val02','val03'");
    assertEquals(List.of("val02", "val03"), ConfigFiles.config(same, "c").childHosts());
    Map<String, String> other =
        Map.of("CHILD_HOSTS", "val02,val03", "STR_CHILD_HOSTS", "'val02','val04'");
    assertThrows(MissingPrerequisite.class, () -> ConfigFiles.config(other, "c"));
  }

  @Test
  void aTreeIsOfTheUserBackendOverTcp() {
    assertTrue(ConfigFiles.config(Map.of("FANOUT", "tree:4"), "c").fanOut().isTree());
    for (Map<String, String> other :
        List.of(
            Map.of("FANOUT", "tree:4", "BACKEND", "kernel", "PARENT_ADDRESS", "val01"),
            Map.of("FANOUT", "tree:4", "PARENT_GID", "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c"))) {
      MissingPrerequisite refused =
          assertThrows(MissingPrerequisite.class, () -> ConfigFiles.config(other, "c"));
      assertTrue(refused.getMessage().startsWith("c: FANOUT tree:4 passes"), refused.getMessage());
    }
  }

  @Test
  void filesHaveAbsolutePaths() {
    assertEquals(
        Map.of("/srv/data", "/mnt/data", "/a", "/b=c"),
        ConfigFiles.config(Map.of("FILES_MAP", "/srv/data=/mnt/data, /a=/b=c,"), "c").filesMap());
    Function<Integer, String> paths =
        count ->
            IntStream.range(0, count)
                .mapToObj(i -> "/" + i + "=/")
                .collect(Collectors.joining(","));
    assertEquals(
        64, ConfigFiles.config(Map.of("FILES_MAP", paths.apply(64)), "c").filesMap().size());
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class,
            () -> ConfigFiles.config(Map.of("FILES_MAP", paths.apply(65)), "c"));
    assertEquals("c: FILES_MAP must have at most 64 paths, got 65", refused.getMessage());
    for (String mode : List.of("clone", "replica")) {
      Map<String, String> settings = Map.of("FILES_MAP", "/a=/b", "RESUME_MODE", mode);
      refused = assertThrows(MissingPrerequisite.class, () -> ConfigFiles.config(settings, "c"));
      assertTrue(refused.getMessage().contains("RESUME_MODE " + mode), refused.getMessage());
    }
  }

  @Test
  void defaultsAreThoseOfTheTarget() {
    ClusterConfig empty = ConfigFiles.config(Map.of(), "c");
    assertEquals(24, Target.PEAK_FUNC_LEAN_CONTAINER.points(empty).get(0).loops());
    assertEquals(16, Target.PEAK_C_LEAN_CONTAINER.points(empty).get(0).loops());
    assertEquals(12, Target.PEAK_NIL_RPC.points(empty).get(0).loops());
    assertEquals(30, Target.PEAK_NIL_RPC.points(empty).get(0).seconds());
    assertEquals(1, Target.MICRO_C_STARTUP.points(empty).get(0).loops());
    assertEquals(
        MemorySize.ARTIFACT_SIZES.stream().map(MemorySize::toString).toList(),
        Target.MICRO_C_STARTUP.points(empty).stream().map(Point::trace).toList());
    assertEquals(9, Target.MICRO_FUNCTION_PREPARE.points(empty).size());
    assertEquals(11, Target.MICRO_TOUCH_RATIO.points(empty).size());
  }

  @Test
  void theTemplateNamesEveryKey() throws IOException {
    TreeSet<String> expected = new TreeSet<>();
    Arrays.stream(ClusterConfig.Key.values()).map(Enum::name).forEach(expected::add);
    // Accepted in the artifact's files only.
    expected.removeAll(List.of("PWD", "STR_CHILD_HOSTS"));
    assertEquals(expected, new TreeSet<>(template().keySet()));
  }

  @Test
  void theTemplateHasTheDefaults() throws Exception {
    Map<String, Setting> template = template();
    template.keySet().removeAll(List.of("PARENT_HOST", "CHILD_HOSTS"));
    ClusterConfig filledIn = ClusterConfig.of(template);
    ClusterConfig defaults = ClusterConfig.of(Map.of());
    for (RecordComponent component : ClusterConfig.class.getRecordComponents()) {
      if (!component.getName().equals("asMap")) {
        assertEquals(
            String.valueOf(component.getAccessor().invoke(defaults)),
            String.valueOf(component.getAccessor().invoke(filledIn)),
            component.getName());
      }
    }
  }

  private static Map<String, Setting> template() throws IOException {
    try (InputStream in = ClusterConfig.class.getResourceAsStream("cluster.conf")) {
      return ConfigFile.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), "template");
    }
  }
}
