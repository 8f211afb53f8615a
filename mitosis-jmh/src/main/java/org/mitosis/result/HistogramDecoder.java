// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.mitosis.stats.ValueCounts;

/**
 * Decodes histograms of a log (HdrHistogram's compressed format V2) without allocating their
 * counts: a run has ten thousands of histograms with some hundred samples among some hundred
 * thousand counts each, and to allocate and visit these takes twenty times as long.
 *
 * <p>The result is the same as of {@link
 * org.HdrHistogram.Histogram#decodeFromCompressedByteBuffer}. Not thread-safe.
 */
final class HistogramDecoder implements AutoCloseable {
  private static final int COMPRESSED = 0x1c849314;
  private static final int COUNTS = 0x1c849313;

  /** A histogram of five digits and all values of a long, each place as long as can be. */
  private static final int LONGEST_BYTES = 32 << 20;

  private static final int MOST_DIGITS = 5;

  private final Inflater inflater = new Inflater();
  private byte[] inflated = new byte[4096];

  /**
   * Decodes a histogram.
   *
   * @throws DataFormatException if it is damaged, or of another format
   */
  ValueCounts decode(String base64) throws DataFormatException {
    try {
      return counts(inflated(ByteBuffer.wrap(Base64.getDecoder().decode(base64))));
    } catch (IllegalArgumentException | BufferUnderflowException e) {
      throw damaged("it ends too early, or is not base 64");
    }
  }

  private ByteBuffer inflated(ByteBuffer encoded) throws DataFormatException {
    int cookie = encoded.getInt();
    int length = encoded.getInt();
    if (cookie != COMPRESSED || length != encoded.remaining()) {
      throw damaged("it is not in the compressed format V2, or not of the length it names");
    }
    inflater.reset();
    inflater.setInput(encoded);
    int size = 0;
    while (!inflater.finished()) {
      if (size == inflated.length) {
        if (size >= LONGEST_BYTES) {
          throw damaged("it is longer than any histogram");
        }
        inflated = Arrays.copyOf(inflated, size * 2);
      }
      int more = inflater.inflate(inflated, size, inflated.length - size);
      if (more == 0 && !inflater.finished()) {
        throw damaged("it is cut off");
      }
      size += more;
    }
    return ByteBuffer.wrap(inflated, 0, size);
  }

  private static ValueCounts counts(ByteBuffer bytes) throws DataFormatException {
    int cookie = bytes.getInt();
    int length = bytes.getInt();
    int offset = bytes.getInt();
    int digits = bytes.getInt();
    long lowest = bytes.getLong();
    bytes.getLong(); // the largest value that there is a place for
    bytes.getDouble(); // a factor, of histograms of doubles only
    if (cookie != COUNTS || length != bytes.remaining() || offset != 0) {
      throw damaged("its counts are not in the format V2");
    }
    if (digits < 0 || digits > MOST_DIGITS || lowest < 1) {
      throw damaged("it has " + digits + " digits from " + lowest + " on");
    }
    Places places = Places.of(digits, lowest);
    ValueCounts.Builder samples = new ValueCounts.Builder();
    long place = 0;
    while (bytes.hasRemaining()) {
      long count = zigZag(bytes);
      if (count < 0) {
        place -= count; // so many places are empty
        if (place < 0) {
          throw damaged("it has more places than there can be");
        }
      } else {
        samples.add(places.largestOf(place++), count);
      }
    }
    return samples.build();
  }

  /** LEB128 of up to nine bytes, the sign in the lowest bit. */
  private static long zigZag(ByteBuffer bytes) {
    long bits = 0;
    for (int shift = 0; ; shift += 7) {
      long next = bytes.get() & 0xFF;
      if (shift == 56 || next < 0x80) {
        bits |= next << shift;
        return bits >>> 1 ^ -(bits & 1);
      }
      bits |= (next & 0x7F) << shift;
    }
  }

  /**
   * Which values the places of a histogram stand for: the first 2^(halfBits+1) for one each, in
   * units of 2^unitBits, then each 2^halfBits for twice as many as those before.
   */
  private record Places(int halfBits, int unitBits) {
    static Places of(int digits, long lowest) {
      long ones = 2 * Math.round(Math.pow(10, digits));
      int bits = Long.SIZE - Long.numberOfLeadingZeros(ones - 1);
      return new Places(Math.max(bits, 1) - 1, Long.SIZE - 1 - Long.numberOfLeadingZeros(lowest));
    }

    long largestOf(long place) throws DataFormatException {
      long half = 1L << halfBits;
      long doublings = Math.max(0, (place >> halfBits) - 1);
      if (doublings + unitBits + halfBits + 1 >= Long.SIZE) {
        throw damaged("it has values that no long holds");
      }
      long step = 1L << doublings + unitBits;
      long at = place < 2 * half ? place : (place & half - 1) + half;
      return at * step + step - 1;
    }
  }

  private static DataFormatException damaged(String why) {
    return new DataFormatException("no histogram: " + why);
  }

  @Override
  public void close() {
    inflater.end();
  }
}
