// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JvmTableTest {
  private static final Map<String, String> JSON =
      Map.of("javaFunction", "json", "collector", "G1", "heap", "128m");

  @Test
  void childrenAreBesideTheStartsOfTheSameJvm() {
    List<Figure> figures =
        new ArrayList<>(
            List.of(
                child("json", "tcp", 8),
                child("json", "local", 5),
                child("aes", "tcp", 3),
                start("jvmColdStart", JSON, 80),
                start("jvmAppCds", JSON, 50),
                start("jvmAotCache", JSON, 40),
                start("jvmCriuLazy", JSON, 60)));
    assertEquals(
        """

        FirstResult.jvm, first result of a child beside other starts (medians, ms) (collector=G1, heap=128m)
        trace  transport  child  cold start  AppCDS  AOT cache  CRIU  CRIU lazy  CRaC  idle JVM  child/cold  child/best
        -----  ---------  -----  ----------  ------  ---------  ----  ---------  ----  --------  ----------  ----------
        aes          tcp  3.000           -       -          -     -          -     -         -           -           -
        json       local  5.000      80.000  50.000     40.000     -     60.000     -         -      0.0625       0.125
        json         tcp  8.000      80.000  50.000     40.000     -     60.000     -         -       0.100       0.200
        best: the faster one of AppCDS and AOT cache, where there is one
        """,
        JvmTable.of(figures));
  }

  @Test
  void whatWaitsForRequestsIsThereWithItsMemory() {
    List<Figure> figures =
        List.of(
            child("json", "local", 5),
            start("jvmPool", JSON, 0.25),
            mebibytes("jvmPool", "idleMemory", JSON, 150),
            mebibytes("jvm", "snapshotMemory", child("json", "local", 5).params(), 162.5));
    assertEquals(
        """

        FirstResult.jvm, first result of a child beside other starts (medians, ms) (collector=G1, heap=128m, transport=local)
        trace  child  cold start  AppCDS  AOT cache  CRIU  CRIU lazy  CRaC  idle JVM  child/cold  child/best  idle, MiB  snapshot, MiB
        -----  -----  ----------  ------  ---------  ----  ---------  ----  --------  ----------  ----------  ---------  -------------
        json   5.000           -       -          -     -          -     -     0.250           -           -        150            162
        best: the faster one of AppCDS and AOT cache, where there is one
        MiB: PSS of an idle JVM, and of a snapshot with its parent
        """,
        JvmTable.of(figures));
  }

  @Test
  void withoutAnythingBesideThereIsNoTable() {
    assertEquals("", JvmTable.of(List.of(child("json", "tcp", 8))));
    assertEquals("", JvmTable.of(List.of(start("jvmColdStart", JSON, 80))));
  }

  private static Figure child(String function, String transport, double ms) {
    Map<String, String> params = new HashMap<>(JSON);
    params.put("javaFunction", function);
    params.put("transport", transport);
    return start("jvm", params, ms);
  }

  private static Figure start(String method, Map<String, String> params, double ms) {
    return figure(method, "firstResult", Figure.NS, params, ms * 1e6);
  }

  private static Figure mebibytes(
      String method, String metric, Map<String, String> params, double value) {
    return figure(method, metric, "MiB", params, value);
  }

  private static Figure figure(
      String method, String metric, String unit, Map<String, String> params, double value) {
    return new Figure(
        "org.mitosis.benchmark.FirstResult." + method,
        params,
        metric,
        unit,
        List.of(new Figure.Fork(1, List.of(new Figure.Point(1, 0, 0, value, null)))));
  }
}
