// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Limits;
import org.mitosis.NativeModule;

/**
 * {@link Uapi}, {@link Limits} and {@link LibMitosis} have the values that the C compiler sees,
 * with nothing missing on either side.
 */
class AbiLayoutTest {
  private static final Map<Class<?>, String> STRUCTS =
      Map.of(
          Uapi.ConnectReq.class, "mitosis_connect_req",
          Uapi.RemoteReq.class, "mitosis_remote_req",
          Uapi.SnapshotStruct.class, "mitosis_snapshot",
          LibMitosis.ChildStruct.class, "mitosis_child",
          LibMitosis.ContentsStruct.class, "mitosis_contents",
          LibMitosis.PrepareOptionsStruct.class, "mitosis_prepare_options");

  /** Constants of {@link Limits} that are not of uapi/mitosis.h. */
  private static final Set<String> OF_LIBC = Set.of("CPU_SETSIZE");

  @Test
  void numbersAndLayoutsAreThoseOfTheCompiler(@TempDir Path folder) throws Exception {
    assertEquals(compiled(folder.resolve("layout")), declared());
  }

  private static SortedMap<String, Long> compiled(Path output) throws Exception {
    Process process =
        new ProcessBuilder(NativeModule.built("tests/print-layout").toString())
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    assertEquals(0, process.waitFor());
    SortedMap<String, Long> values = new TreeMap<>();
    for (String line : Files.readAllLines(output)) {
      String[] pair = line.split(" ", -1);
      assertEquals(2, pair.length, line);
      values.put(pair[0], Long.valueOf(pair[1]));
    }
    return values;
  }

  private static SortedMap<String, Long> declared() throws IllegalAccessException {
    SortedMap<String, Long> values = new TreeMap<>(numbers(Uapi.class));
    values.putAll(numbers(LibMitosis.class));
    numbers(Limits.class)
        .forEach(
            (name, value) -> values.put(OF_LIBC.contains(name) ? name : "MITOSIS_" + name, value));
    assertTrue(STRUCTS.keySet().containsAll(List.of(Uapi.class.getDeclaredClasses())));
    for (Class<?> struct : STRUCTS.keySet()) {
      String name = STRUCTS.get(struct);
      SortedMap<String, Long> offsets = numbers(struct);
      long size = offsets.remove("SIZEOF");
      values.put("sizeof." + name, size);
      SortedMap<Long, String> fields = new TreeMap<>();
      offsets.forEach((field, offset) -> fields.put(offset, field.toLowerCase(Locale.ROOT)));
      Iterator<Long> ends = fields.tailMap(1L).keySet().iterator();
      for (Map.Entry<Long, String> field : fields.entrySet()) {
        // No struct has padding: a field ends where the next one starts.
        long end = ends.hasNext() ? ends.next() : size;
        values.put("offsetof." + name + "." + field.getValue(), field.getKey());
        values.put("sizeof." + name + "." + field.getValue(), end - field.getKey());
      }
    }
    return values;
  }

  private static SortedMap<String, Long> numbers(Class<?> declaring) throws IllegalAccessException {
    SortedMap<String, Long> values = new TreeMap<>();
    for (Field field : declaring.getDeclaredFields()) {
      if (Modifier.isPublic(field.getModifiers()) && field.getType().isPrimitive()) {
        values.put(field.getName(), ((Number) field.get(null)).longValue());
      }
    }
    return values;
  }
}
