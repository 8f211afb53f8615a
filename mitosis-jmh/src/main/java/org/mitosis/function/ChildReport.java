// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What a program reports to its launcher over the inherited file descriptor {@value #FD}: {@code
 * native-module/helpers/report.h} says how. Times are CLOCK_MONOTONIC in ns, which {@link
 * System#nanoTime} reads.
 */
final class ChildReport {
  static final int FD = 100;
  private static final int NUMBERS_BYTES = 32;
  static final int STEPS = 5;
  private static final int TIMES_BYTES = (1 + STEPS) * Long.BYTES;

  /** Marks the times of a child: {@code REPORT_TIMES_MAGIC}. */
  private static final long TIMES_MAGIC = 0x73656d697418544dL;

  /** With the numbers less than a pipe takes at once. */
  private static final int MESSAGE_BYTES = 1500;

  private final OutputStream out;

  private ChildReport(OutputStream out) {
    this.out = out;
  }

  /**
   * A report over a descriptor that need not be open yet: a child's is, its parent's is not.
   *
   * @throws ReflectiveOperationException if java.io is not opened to this class
   */
  static ChildReport later() throws ReflectiveOperationException {
    Constructor<FileDescriptor> ofNumber = FileDescriptor.class.getDeclaredConstructor(int.class);
    ofNumber.setAccessible(true);
    return new ChildReport(new FileOutputStream(ofNumber.newInstance(FD)));
  }

  /** A report of this process, whose launcher has opened the descriptor. */
  static ChildReport now() throws IOException {
    return new ChildReport(new FileOutputStream("/proc/self/fd/" + FD));
  }

  /** Reports times; whether that was possible. */
  boolean send(long resumedNs, long executionNs, long firstResultNs, boolean right) {
    return write(numbers(0, resumedNs, executionNs, firstResultNs, right).array());
  }

  /** The same with the {@value #STEPS} times of what went before. */
  boolean send(long[] steps, long resumedNs, long executionNs, long firstResultNs, boolean right) {
    ByteBuffer bytes =
        numbers(TIMES_BYTES, resumedNs, executionNs, firstResultNs, right).putLong(TIMES_MAGIC);
    for (int i = 0; i < STEPS; i++) {
      bytes.putLong(steps[i]);
    }
    return write(bytes.array());
  }

  /** Reports a failure. */
  void fail(long resumedNs, Throwable failure) {
    byte[] message = failure.toString().replace('\n', ' ').getBytes(StandardCharsets.UTF_8);
    int length = Math.min(message.length, MESSAGE_BYTES);
    write(numbers(length, resumedNs, 0, resumedNs, false).put(message, 0, length).array());
  }

  private static ByteBuffer numbers(
      int more, long resumedNs, long executionNs, long firstResultNs, boolean right) {
    return ByteBuffer.allocate(NUMBERS_BYTES + more)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(resumedNs)
        .putLong(executionNs)
        .putLong(firstResultNs)
        .putLong(right ? 0 : 1);
  }

  private boolean write(byte[] bytes) {
    try {
      out.write(bytes);
      return true;
    } catch (IOException e) {
      // There is no reader, or no more: the exit code tells as well.
      return false;
    }
  }
}
