// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * A failed operation: which one, on which ids, the errno, and what to do about it.
 *
 * <p>The message holds all of it.
 */
public final class MitosisException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Operation operation;
  private final int handlerId;
  private final int machineId;
  private final int errno;
  private final String problem;
  private final String advice;

  private MitosisException(Builder builder, String message) {
    super(message);
    operation = builder.operation;
    handlerId = builder.handlerId;
    machineId = builder.machineId;
    errno = builder.errno;
    problem = builder.problemAndErrno();
    advice = builder.advice;
  }

  /** Starts the description of a failed operation. */
  public static Builder of(Operation operation, int errno) {
    return new Builder(operation, errno);
  }

  /** The operation that failed. */
  public Operation operation() {
    return operation;
  }

  /** The handler id it was about, if any. */
  public OptionalInt handlerId() {
    return handlerId < 0 ? OptionalInt.empty() : OptionalInt.of(handlerId);
  }

  /** The machine id it was about, if any. */
  public OptionalInt machineId() {
    return machineId < 0 ? OptionalInt.empty() : OptionalInt.of(machineId);
  }

  /** The errno, a positive number; see {@link Errno}. */
  public int errno() {
    return errno;
  }

  /** What went wrong, with the errno's name: the message without the operation and the advice. */
  public String problem() {
    return problem;
  }

  /** What to do about it: one message without a full stop; empty if there is nothing to say. */
  public String advice() {
    return advice;
  }

  /** Collects what is known of a failed operation. */
  public static final class Builder {
    private final Operation operation;
    private final int errno;
    private int handlerId = -1;
    private int machineId = -1;
    private String problem = "";
    private String advice = "";

    private Builder(Operation operation, int errno) {
      this.operation = Objects.requireNonNull(operation, "operation");
      this.errno = errno;
    }

    /** Names the handler id. */
    public Builder handlerId(int id) {
      handlerId = id;
      return this;
    }

    /** Names the machine id. */
    public Builder machineId(int id) {
      machineId = id;
      return this;
    }

    /** The problem, without a full stop; the errno's meaning if never called. */
    public Builder problem(String text) {
      problem = Objects.requireNonNull(text, "text");
      return this;
    }

    /** What to do about it, without a full stop. */
    public Builder advice(String text) {
      advice = Objects.requireNonNull(text, "text");
      return this;
    }

    /** The exception, ready to be thrown. */
    public MitosisException build() {
      StringBuilder message = new StringBuilder(operation.toString());
      if (handlerId >= 0) {
        message.append(" of handler id ").append(handlerId);
      }
      if (machineId >= 0) {
        message.append(" on machine ").append(machineId);
      }
      message.append(" failed: ").append(problemAndErrno());
      if (!advice.isEmpty()) {
        message.append("; ").append(advice);
      }
      return new MitosisException(this, message.toString());
    }

    private String problemAndErrno() {
      return (problem.isEmpty() ? Errno.meaning(errno) : problem) + " (" + Errno.name(errno) + ")";
    }
  }
}
