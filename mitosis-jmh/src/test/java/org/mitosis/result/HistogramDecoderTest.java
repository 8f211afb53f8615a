// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.stats.ValueCounts;

/** HdrHistogram, which wrote the histograms, says what is in them. */
class HistogramDecoderTest {
  private final HistogramDecoder decoder = new HistogramDecoder();
  private final Random random = new Random(1);

  @AfterEach
  void close() {
    decoder.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "1, 1", "1, 3", "1000, 3", "1024, 2", "1, 5"})
  void saysWhatTheLibrarySays(long lowest, int digits) throws DataFormatException {
    Histogram histogram = new Histogram(lowest, Long.MAX_VALUE / 2, digits);
    for (int i = 0; i < 2_000; i++) {
      histogram.recordValueWithCount(
          (long) Math.exp(random.nextDouble() * 42), 1 + random.nextInt(300));
      if (i % 500 == 0) {
        assertSame(histogram);
      }
    }
    histogram.recordValueWithCount(0, Long.MAX_VALUE / 4);
    assertSame(histogram);
  }

  @Test
  void ofNoSamplesThereAreNone() throws DataFormatException {
    assertEquals(0, decoder.decode(encoded(new Histogram(3))).total());
  }

  @Test
  void whatIsCutOrFlippedIsDamaged() {
    Histogram histogram = new Histogram(3);
    for (int i = 1; i < 100; i++) {
      histogram.recordValue(i * i * i);
    }
    int harmless = 0;
    byte[] whole = Base64.getDecoder().decode(encoded(histogram));
    for (int i = 0; i < whole.length; i++) {
      assertDamaged(Arrays.copyOf(whole, i), "cut at " + i);
      byte[] flipped = whole.clone();
      flipped[i] ^= 0x10;
      try {
        // A bit between what is deflated and its checksum says nothing.
        assertEquals(99, decoder.decode(Base64.getEncoder().encodeToString(flipped)).total());
        harmless++;
      } catch (DataFormatException e) {
        // As it should be.
      }
    }
    assertTrue(harmless <= 1, harmless + " flipped bits went unseen");
  }

  @Test
  void whatIsInflatedIsCheckedToo() {
    assertDamaged(deflated(new byte[3]), "no header");
    assertDamaged(deflated(header(4, 0, 3, 1)), "longer than it is");
    assertDamaged(deflated(header(0, 1, 3, 1)), "shifted");
    assertDamaged(deflated(header(0, 0, 9, 1)), "nine digits");
    assertDamaged(deflated(header(0, 0, 3, 0)), "from 0 on");
    // Skips all places that there are, and more.
    byte[] beyond = Arrays.copyOf(header(10, 0, 3, 1), 50);
    Arrays.fill(beyond, 40, 49, (byte) 0xFF);
    beyond[49] = 2;
    assertDamaged(deflated(beyond), "beyond a long");
    assertDamaged(deflated(new byte[64 << 20]), "64 MiB of nothing");
  }

  private void assertSame(Histogram histogram) throws DataFormatException {
    ValueCounts expected = ValueCounts.of(histogram);
    ValueCounts decoded = decoder.decode(encoded(histogram));
    assertEquals(expected.total(), decoded.total());
    for (double percentile = 0; percentile <= 100; percentile += 0.5) {
      assertEquals(expected.atPercentile(percentile), decoded.atPercentile(percentile));
    }
  }

  private void assertDamaged(byte[] encoded, String how) {
    assertThrows(
        DataFormatException.class,
        () -> decoder.decode(Base64.getEncoder().encodeToString(encoded)),
        how);
  }

  private static byte[] header(int length, int offset, int digits, long lowest) {
    return ByteBuffer.allocate(40)
        .putInt(0x1c849313)
        .putInt(length)
        .putInt(offset)
        .putInt(digits)
        .putLong(lowest)
        .putLong(1L << 40)
        .putDouble(1)
        .array();
  }

  private static byte[] deflated(byte[] bytes) {
    Deflater deflater = new Deflater();
    deflater.setInput(bytes);
    deflater.finish();
    byte[] room = new byte[bytes.length + 100];
    int size = deflater.deflate(room);
    deflater.end();
    return ByteBuffer.allocate(8 + size).putInt(0x1c849314).putInt(size).put(room, 0, size).array();
  }

  private static String encoded(Histogram histogram) {
    ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
    int size = histogram.encodeIntoCompressedByteBuffer(buffer);
    return Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), size));
  }
}
