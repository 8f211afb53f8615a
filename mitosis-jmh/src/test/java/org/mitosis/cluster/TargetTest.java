// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.setting.MissingPrerequisite;

class TargetTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "micro-c-prepare",
        "micro-function-prepare",
        "micro-c-startup",
        "micro-function-startup",
        "micro-c-execution",
        "micro-function-execution",
        "micro-c-startup-execution",
        "micro-function-startup-execution",
        "micro-touch-ratio",
        "peak-func-lean-container",
        "peak-c-lean-container",
        "peak-c-touch-ratio",
        "peak-empty-fork",
        "peak-function-exec",
        "peak-c-exec",
        "peak-nil-rpc",
        "build-mitosis-prefetch",
        "clean"
      })
  void isCalledAsInTheArtifactsMakefile(String name) {
    assertEquals(name, Target.named(name).orElseThrow().toString());
  }

  @Test
  void aBurstHasChildrenThatWork() {
    Target burst = Target.named("burst").orElseThrow();
    Point byDefault = burst.points(ConfigFiles.config(Map.of(), "test")).get(0);
    assertTrue(byDefault.parent().childWorks());
    assertEquals(100, byDefault.times());
    assertEquals(
        1000, burst.points(ConfigFiles.config(Map.of("TIMES", "1000"), "test")).get(0).times());
    assertTrue(burst.needsChildren() && burst.resumes());
  }

  @Test
  void childMachinesAreNeededWhereTheyStartSomething() {
    Roles alone = new Roles("p", List.of());
    assertThrows(MissingPrerequisite.class, () -> alone.takingPart(Target.MICRO_C_STARTUP));
    assertEquals(List.of("p"), alone.takingPart(Target.MICRO_C_EXECUTION));
    Roles both = new Roles("p", List.of("c1", "p"));
    assertEquals(List.of("p"), both.takingPart(Target.MICRO_C_PREPARE));
    assertEquals(List.of("p", "c1"), both.takingPart(Target.PEAK_NIL_RPC));
  }

  @Test
  void childrenWorkWhereTheirWorkIsMeasured() {
    ClusterConfig config = ConfigFiles.config(Map.of("TOUCH_RATIOS", "50"), "test");
    assertTrue(Target.MICRO_C_EXECUTION.points(config).get(0).parent().childWorks());
    assertTrue(Target.MICRO_C_STARTUP_EXECUTION.points(config).get(0).parent().childWorks());
    assertTrue(!Target.MICRO_C_STARTUP.points(config).get(0).parent().childWorks());
    assertEquals(50, Target.PEAK_C_TOUCH_RATIO.points(config).get(0).parent().touchRatio());
  }
}
