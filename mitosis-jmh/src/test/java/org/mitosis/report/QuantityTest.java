// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantityTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 ns",
    "1, 1.00 ns",
    "251.4, 251 ns",
    "999.4, 999 ns",
    "999.6, 1.00 µs",
    "648000, 648 µs",
    "1209000, 1.21 ms",
    "42700000, 42.7 ms",
    "1240590000, 1.24 s",
    "90000000000, 90.0 s",
    "3600000000000, 3600 s",
    "NaN, –"
  })
  void timesHaveTheUnitThatFits(double ns, String expected) {
    assertEquals(expected, Quantity.of(ns, "ns"));
  }

  @Test
  void otherUnitsAreKept() {
    assertEquals("341 ops/s", Quantity.of(341.28, "ops/s"));
    assertEquals("12346 ops/s", Quantity.of(12345.6, "ops/s"));
    assertEquals("0.00120 MB", Quantity.of(0.0012, "MB"));
  }

  @Test
  void sizesAreWholeUnits() {
    assertEquals("1 MiB", Quantity.bytes(1 << 20));
    assertEquals("1 GiB", Quantity.bytes(1L << 30));
    assertEquals("1025 B", Quantity.bytes(1025));
    assertEquals("1536 KiB", Quantity.bytes(1536 << 10));
  }
}
