// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.fixture.JvmFunction;
import org.mitosis.fixture.LoopParameters;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Protection;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.Range;
import org.mitosis.fixture.RdmaDevice;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Transport;
import org.mitosis.function.Catalogue;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.runner.BenchmarkListEntry;

/**
 * What the parameters of one benchmark may be: without it, a wrong value would be found in the
 * first fork, when there are results to lose.
 */
final class ParameterCheck {
  private final Map<String, Range> ranges = new HashMap<>();

  /** Of this benchmark. */
  ParameterCheck(BenchmarkListEntry entry) {
    String name = entry.getUsername();
    try {
      addClass(
          Class.forName(entry.getUserClassQName()),
          name.substring(name.lastIndexOf('.') + 1),
          new HashSet<>());
    } catch (ClassNotFoundException e) {
      // JMH reports it when it runs the benchmark.
    }
  }

  /** The ranges of a class's fields, and of the states that this method and those set up take. */
  private void addClass(Class<?> type, String method, Set<Class<?>> seen) {
    if (!seen.add(type)) {
      return;
    }
    for (Class<?> at = type; at != null; at = at.getSuperclass()) {
      for (Field field : at.getDeclaredFields()) {
        Range range = field.getAnnotation(Range.class);
        if (range != null) {
          ranges.put(field.getName(), range);
        }
      }
    }
    for (Method one : type.getMethods()) {
      if (one.getName().equals(method) || one.isAnnotationPresent(Setup.class)) {
        for (Class<?> state : one.getParameterTypes()) {
          addClass(state, "", seen);
        }
      }
    }
  }

  /** Checks a value; of a function that does not exist, says which one was meant. */
  private static void requireValue(String name, String value) {
    try {
      Preflight.requireParameter(name, value);
    } catch (MissingPrerequisite e) {
      List<String> known =
          switch (name) {
            case PythonFunction.PROPERTY ->
                PythonFunction.known().stream().map(PythonFunction::name).toList();
            case JvmFunction.PROPERTY -> Catalogue.NAMES;
            default -> List.of();
          };
      throw new MissingPrerequisite(e.getMessage() + Spelling.hint(value, known));
    }
  }

  /**
   * Checks one combination of values.
   *
   * @throws MissingPrerequisite if one is invalid, or two do not go together
   */
  void require(Map<String, String> parameters) {
    parameters.forEach(ParameterCheck::requireValue);
    parameters.forEach(
        (name, value) -> {
          if (ranges.containsKey(name)) {
            Preflight.requireRange(name, value, ranges.get(name));
          }
        });
    String transport = parameters.getOrDefault(Transport.PROPERTY, "");
    RdmaDevice.requireProtection(transport, parameters.getOrDefault(Protection.PROPERTY, ""));
    if (!transport.isEmpty()) {
      RemoteFork.requireTogether(
          Preflight.choice(Transport.class, Transport.PROPERTY, transport),
          Preflight.choice(
              ResumeMode.class,
              ResumeMode.PROPERTY,
              parameters.getOrDefault(ResumeMode.PROPERTY, ResumeMode.LAZY.toString())),
          LoopParameters.childMachines(
              parameters.getOrDefault(LoopParameters.CHILD_MACHINES, "1")));
    }
  }
}
