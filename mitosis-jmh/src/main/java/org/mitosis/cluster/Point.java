// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.Map;
import java.util.TreeMap;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunction;

/**
 * One row of a target's table.
 *
 * @param trace the row's name, in the form of the MITOSIS artifact
 * @param parameters of the histograms, by name
 * @param parent the parent; null if there is none
 * @param container the container of each child
 * @param loops on each machine
 * @param seconds how long the loops run
 * @param times samples, for a target that counts them
 */
record Point(
    String trace,
    Map<String, String> parameters,
    Task.ParentSpec parent,
    ContainerKind container,
    int loops,
    int seconds,
    int times) {

  static Point ofMemory(
      MemorySize size,
      int touchRatio,
      boolean byRatio,
      boolean childWorks,
      int loops,
      int seconds,
      int times) {
    Map<String, String> parameters = new TreeMap<>();
    parameters.put(MemorySize.PROPERTY, size.toString());
    if (byRatio) {
      parameters.put(Preflight.TOUCH_RATIO, Integer.toString(touchRatio));
    }
    return new Point(
        byRatio ? Integer.toString(touchRatio) : size.toString(),
        parameters,
        new Task.ParentSpec(size.toString(), "", touchRatio, childWorks),
        ContainerKind.LEAN,
        loops,
        seconds,
        times);
  }

  static Point ofFunction(
      PythonFunction function, boolean childWorks, int loops, int seconds, int times) {
    return new Point(
        function.toString(),
        Map.of(PythonFunction.PROPERTY, function.toString()),
        new Task.ParentSpec("", function.toString(), 100, childWorks),
        ContainerKind.LEAN,
        loops,
        seconds,
        times);
  }

  static Point ofContainer(ContainerKind container, int loops, int seconds) {
    return new Point(
        container.toString(),
        Map.of(ContainerKind.PROPERTY, container.toString()),
        null,
        container,
        loops,
        seconds,
        0);
  }

  static Point ofRequests(int loops, int seconds) {
    return new Point("nil-rpc", Map.of(), null, ContainerKind.NONE, loops, seconds, 0);
  }
}
