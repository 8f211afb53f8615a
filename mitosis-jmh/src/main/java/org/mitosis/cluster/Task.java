// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.ResumeMode;

/**
 * What the coordinator asks of the agent on a machine: one line of JSON each, answered by one line
 * ({@link Reply}). An agent carries out one task after the other; only {@link Beat} is answered at
 * once.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "do")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Task.Beat.class, name = "beat"),
  @JsonSubTypes.Type(value = Task.Hello.class, name = "hello"),
  @JsonSubTypes.Type(value = Task.ReadClock.class, name = "clock"),
  @JsonSubTypes.Type(value = Task.Lock.class, name = "lock"),
  @JsonSubTypes.Type(value = Task.Describe.class, name = "describe"),
  @JsonSubTypes.Type(value = Task.StartMachine.class, name = "machine"),
  @JsonSubTypes.Type(value = Task.StartParent.class, name = "parent"),
  @JsonSubTypes.Type(value = Task.Prepare.class, name = "prepare"),
  @JsonSubTypes.Type(value = Task.Freeze.class, name = "freeze"),
  @JsonSubTypes.Type(value = Task.Ready.class, name = "ready"),
  @JsonSubTypes.Type(value = Task.Run.class, name = "run"),
  @JsonSubTypes.Type(value = Task.Drop.class, name = "drop"),
  @JsonSubTypes.Type(value = Task.LoadModule.class, name = "load"),
  @JsonSubTypes.Type(value = Task.Clean.class, name = "clean"),
})
sealed interface Task {
  /** The coordinator lives; answered at once. */
  record Beat() implements Task {}

  /**
   * Asks for the facts of the machine. Answered by {@link Facts}.
   *
   * @param functions whether to look for what functions need
   */
  record Hello(boolean functions) implements Task {}

  /** What time is it? Answered by {@link ClockReading}. */
  record ReadClock() implements Task {}

  /**
   * Takes the machine for a run.
   *
   * @param owner who runs what, for others who want it
   * @param force ends a run that has it
   */
  record Lock(String owner, boolean force) implements Task {}

  /**
   * Describes the machine and its state: the JSON of {@link org.mitosis.result.Environment}.
   *
   * @param commandLine of the run
   * @param outcome how it has ended; empty while it runs
   */
  record Describe(List<String> commandLine, String outcome) implements Task {}

  /**
   * Makes a machine of the user backend. Answered by its address.
   *
   * @param id its machine id
   * @param key what it shares with the others
   * @param listen HOST:PORT
   */
  record StartMachine(int id, byte[] key, String listen) implements Task {}

  /**
   * What a parent is.
   *
   * @param memorySize of a working set; empty for a function
   * @param function its name; empty for a working set
   * @param touchRatio percent of its pages
   * @param childWorks whether its children work, or end at once
   */
  record ParentSpec(String memorySize, String function, int touchRatio, boolean childWorks) {}

  /** Starts a parent. Answered by {@link ParentTimes}. */
  record StartParent(ParentSpec parent) implements Task {}

  /**
   * Lets the parent prepare itself again and again; streams {@code prepare}.
   *
   * @param times how often
   */
  record Prepare(int times) implements Task {}

  /**
   * Prepares the parent for children, and does its work once in the parent.
   *
   * @param work whether it is to do it; its time is the answer, in ns
   */
  record Freeze(boolean work) implements Task {}

  /** What a loop does. */
  enum LoopKind {
    /** Containers with a resumed child; streams {@code startup}. */
    START,
    /** Children one by one, each with all its times; streams {@code execution} and others. */
    CHILD,
    /** Containers with nothing in them; streams {@code startup}. */
    EMPTY,
    /** The work of a parent without any fork; streams {@code work}. */
    WORK,
    /** Empty requests, in batches; streams {@code nilRpc}. */
    NIL_RPC
  }

  /**
   * Gets loops ready to start. Answered by their names.
   *
   * @param kind what each does
   * @param loops how many
   * @param seconds for how long; 0 to count instead
   * @param times how many children, if they are counted
   * @param container what children are in
   * @param parentMachine id of the machine that holds the snapshot; below 0 for this one
   * @param parentAddress where that listens
   * @param resumeMode how children get their pages
   * @param prefetch pages for each fault
   * @param placement where launchers and children run
   * @param parent what works, in loops that do not fork
   */
  record Ready(
      LoopKind kind,
      int loops,
      int seconds,
      int times,
      ContainerKind container,
      int parentMachine,
      String parentAddress,
      ResumeMode resumeMode,
      int prefetch,
      Placement placement,
      ParentSpec parent)
      implements Task {}

  /**
   * Lets the loops run. Answered when all have ended.
   *
   * @param startNs when they start, CLOCK_MONOTONIC of the machine
   */
  record Run(long startNs) implements Task {}

  /** Ends parent and loops; the machine stays. */
  record Drop() implements Task {}

  /**
   * Builds the kernel module and loads it, unless it is loaded.
   *
   * @param machineId of this machine
   * @param listen where it serves others, as the module takes it; empty for nowhere
   * @param key what it shares with the others
   */
  record LoadModule(int machineId, String listen, byte[] key) implements Task {}

  /** Ends what others have left, unloads the module, removes what was unpacked. */
  record Clean() implements Task {}

  /**
   * What is sent: a task and the number its reply will have.
   *
   * @param id of this request
   * @param task what to do
   */
  record Request(long id, Task task) {}

  /**
   * What comes back: exactly one of value, error and samples is there, unless the value is none.
   *
   * @param id of the request; 0 for samples
   * @param value the answer
   * @param error a message
   * @param samples what has been measured meanwhile
   */
  record Reply(long id, JsonNode value, String error, Samples samples) {}

  /**
   * Samples of one loop, in the order of their ends.
   *
   * @param loop its name
   * @param endNs when each ended, CLOCK_MONOTONIC of the machine
   * @param ns the times of each, by metric
   * @param startNs when the loop started, same clock
   * @param each how many operations a sample is the mean of
   */
  record Samples(
      String loop, long startNs, int each, List<Long> endNs, Map<String, List<Long>> ns) {}

  /**
   * Two clocks at once.
   *
   * @param monotonicNs CLOCK_MONOTONIC
   * @param realtimeNs since 1970
   */
  record ClockReading(long monotonicNs, long realtimeNs) {}

  /**
   * What the work of a parent took.
   *
   * @param coldNs the first time
   * @param warmNs the second time
   */
  record ParentTimes(long coldNs, long warmNs) {}

  /**
   * What a machine is and can do.
   *
   * @param host what it calls itself
   * @param version of benchmarks.jar
   * @param java its version
   * @param kernel release and build
   * @param user who the agent is
   * @param root whether that is root
   * @param backends what is there of each: name, then what was found; empty if ready
   * @param userfaultfd empty if allowed, else why not
   * @param memoryBytes available
   * @param diskBytes free where the jar is
   * @param address where ssh or the scheduler reached it; empty if unknown
   * @param functions what each function lacks, as a message; empty if nothing
   * @param heldBy its user; empty if there is none
   */
  record Facts(
      String host,
      String version,
      String java,
      String kernel,
      String user,
      boolean root,
      Map<String, String> backends,
      String userfaultfd,
      long memoryBytes,
      long diskBytes,
      String address,
      Map<String, String> functions,
      String heldBy) {}
}
