// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;

/**
 * What a child knows about itself. Everything else in its memory is its parent's: identifiers,
 * random number generators and names that the parent made are the same in all children.
 */
public final class Child {
  /** Bytes of {@link #seed()}. */
  public static final int SEED_BYTES = 16;

  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private final int handlerId;
  private final long generation;
  private final long number;
  private final int machineId;
  private final UUID id;
  private final byte[] seed;
  private final ResumeTimes times;

  /**
   * For backends.
   *
   * @param handlerId the key under which the parent prepared
   * @param generation the snapshot's number under that key, greater than 0; 0 if not known
   * @param number the child's number on its machine, greater than 0; 0 if not known
   * @param machineId the id of the machine that the child runs on
   * @param id 128 random bits of this child's own
   * @param seed {@value #SEED_BYTES} random bytes of this child's own, independent of the id
   * @param times of the steps of its resume
   */
  public Child(
      int handlerId,
      long generation,
      long number,
      int machineId,
      UUID id,
      byte[] seed,
      ResumeTimes times) {
    if (seed.length != SEED_BYTES) {
      throw new IllegalArgumentException(
          "a seed must have " + SEED_BYTES + " bytes, got " + seed.length);
    }
    this.handlerId = handlerId;
    this.generation = generation;
    this.number = number;
    this.machineId = machineId;
    this.id = id;
    this.seed = seed.clone();
    this.times = times;
  }

  /** The key under which the parent prepared. */
  public int handlerId() {
    return handlerId;
  }

  /** How often a snapshot was taken under that key on the parent's machine; 0 if not known. */
  public long generation() {
    return generation;
  }

  /**
   * The number of this child on its machine. The machine counts the children that it starts, of all
   * snapshots, from 1 on; some numbers are not used. 0 if not known.
   */
  public long number() {
    return number;
  }

  /**
   * The id of the machine that the child runs on: that of its mitosisd ({@code
   * $MITOSIS_MACHINE_ID}) or of its kernel module; 0 if none was set. Together with {@link
   * #number()} it identifies a child, as long as all machines have different ids.
   */
  public int machineId() {
    return machineId;
  }

  /**
   * An identifier of this child, made of 128 random bits from the kernel: different for each child
   * on all machines. It is not a secret, and has no UUID version.
   */
  public UUID id() {
    return id;
  }

  /**
   * Random bytes of this child's own, to seed generators with. They are a secret, and the same for
   * every hook of the child.
   */
  public byte[] seed() {
    return seed.clone();
  }

  /** The times of the steps of its resume, before its program continued. */
  public ResumeTimes times() {
    return times;
  }

  /**
   * The host name of the machine that the child runs on, read anew: the JDK and the environment
   * have the parent's.
   *
   * @throws MitosisException EIO if it cannot be read
   */
  public String host() {
    try {
      return Files.readString(HOST_NAME).strip();
    } catch (IOException e) {
      throw MitosisException.of(Operation.PREPARE, Errno.EIO)
          .problem("a child cannot read " + HOST_NAME + ": " + e.getMessage())
          .advice("mount /proc where children start")
          .build();
    }
  }

  /** Without the seed. */
  @Override
  public String toString() {
    return "child " + id + " of handler id " + handlerId;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Child child
        && id.equals(child.id)
        && handlerId == child.handlerId
        && generation == child.generation
        && number == child.number
        && machineId == child.machineId
        && times.equals(child.times)
        && Arrays.equals(seed, child.seed);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }
}
