// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.mitosis.Backend;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.ReplicaFill;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Verify;

/**
 * A task of the agent on a machine: one line of JSON, answered by one line ({@link Reply}). An
 * agent carries out one task after the other; only {@link Beat} is answered at once.
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
  @JsonSubTypes.Type(value = Task.TakeSnapshot.class, name = "snapshot"),
  @JsonSubTypes.Type(value = Task.Ready.class, name = "ready"),
  @JsonSubTypes.Type(value = Task.Run.class, name = "run"),
  @JsonSubTypes.Type(value = Task.CountLink.class, name = "count-link"),
  @JsonSubTypes.Type(value = Task.LinkBytes.class, name = "link-bytes"),
  @JsonSubTypes.Type(value = Task.Drop.class, name = "drop"),
  @JsonSubTypes.Type(value = Task.LoadModule.class, name = "load"),
  @JsonSubTypes.Type(value = Task.Clean.class, name = "clean"),
  @JsonSubTypes.Type(value = Task.RdmaMachine.class, name = "rdma-machine"),
  @JsonSubTypes.Type(value = Task.RdmaParent.class, name = "rdma-parent"),
  @JsonSubTypes.Type(value = Task.RdmaOrder.class, name = "rdma-order"),
  @JsonSubTypes.Type(value = Task.RdmaFloorServer.class, name = "rdma-floor-server"),
  @JsonSubTypes.Type(value = Task.RdmaFloorTime.class, name = "rdma-floor-time"),
  @JsonSubTypes.Type(value = Task.RdmaStranger.class, name = "rdma-stranger"),
  @JsonSubTypes.Type(value = Task.RdmaChild.class, name = "rdma-child"),
  @JsonSubTypes.Type(value = Task.RdmaGo.class, name = "rdma-go"),
})
sealed interface Task {
  /** Renews the lease; answered at once. */
  record Beat() implements Task {}

  /**
   * Asks for the facts of the machine. Answered by {@link Facts}.
   *
   * @param functions whether to check what functions need
   */
  record Hello(boolean functions) implements Task {}

  /** Asks for the time. Answered by {@link ClockReading}. */
  record ReadClock() implements Task {}

  /**
   * Locks the machine for a run.
   *
   * @param owner user, host and target of the run, for the message to others
   * @param force ends a run that has the lock
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
   * Starts a machine of the user backend. Answered by its address.
   *
   * @param id its machine id
   * @param key the key that it shares with the other machines
   * @param listen HOST:PORT
   * @param rdma whether its sessions are those that RDMA needs
   * @param replicaFill what replicas have of a snapshot before their children ask
   * @param verify whether what it gets from machines between is compared with the parent machine's
   * @param gid of the RDMA port at whose address it listens, in the place of HOST; empty for HOST
   */
  record StartMachine(
      int id,
      byte[] key,
      String listen,
      boolean rdma,
      ReplicaFill replicaFill,
      Verify verify,
      String gid)
      implements Task {}

  /**
   * Specifies a parent.
   *
   * @param memorySize of the working set; empty for a function
   * @param function its name; empty for a working set
   * @param touchRatio percent of its pages
   * @param childWorks whether its children work, or end at once
   */
  record ParentSpec(String memorySize, String function, int touchRatio, boolean childWorks) {}

  /** Starts a parent. Answered by {@link ParentTimes}. */
  record StartParent(ParentSpec parent) implements Task {}

  /**
   * Prepares the parent repeatedly; streams {@code prepare}.
   *
   * @param times number of prepares
   */
  record Prepare(int times) implements Task {}

  /**
   * Prepares the parent for children. Answered by the time of its work after that, in ns.
   *
   * @param work whether the parent works; the answer is 0 if not
   */
  record TakeSnapshot(boolean work) implements Task {}

  /** The kind of a loop. */
  enum LoopKind {
    /** Containers with a resumed child; streams {@code startup}. */
    START,
    /** Children one by one, each with all its times; streams {@code execution} and others. */
    CHILD,
    /** So many children in all; streams {@code untilInstruction} and {@code untilResult}. */
    SERIES,
    /** Empty containers; streams {@code startup}. */
    EMPTY,
    /** The work of a parent, without a fork; streams {@code work}. */
    WORK,
    /** Empty requests, in batches; streams {@code nilRpc}. */
    NIL_RPC
  }

  /**
   * Prepares loops to start. Answered by their names.
   *
   * @param kind of each loop
   * @param loops number of loops
   * @param seconds how long they run; unused by loops that count
   * @param times number of children, for loops that count them
   * @param container of the children
   * @param parentMachine id of the machine with the snapshot; negative for this one
   * @param parentAddress where that machine listens, or one between
   * @param verifiedBy where that machine itself listens, if what one between serves is verified;
   *     else empty
   * @param resumeMode how children get their pages
   * @param prefetch pages for each fault
   * @param filesMap where children open what their parent had open, by its path there
   * @param placement where launchers and children run
   * @param parent of loops without a fork
   */
  record Ready(
      LoopKind kind,
      int loops,
      int seconds,
      int times,
      ContainerKind container,
      int parentMachine,
      String parentAddress,
      String verifiedBy,
      ResumeMode resumeMode,
      int prefetch,
      Map<String, String> filesMap,
      Placement placement,
      ParentSpec parent)
      implements Task {}

  /**
   * Runs the loops. Answered when all have ended.
   *
   * @param startNs their start, CLOCK_MONOTONIC of the machine
   */
  record Run(long startNs) implements Task {}

  /** Counts the bytes that this machine sends to others from now on. */
  record CountLink() implements Task {}

  /** Ends that count. Answered by it; below 0 where bytes cannot be counted. */
  record LinkBytes() implements Task {}

  /** Ends parent and loops; the machine stays. */
  record Drop() implements Task {}

  /**
   * Builds the kernel module and loads it, unless it is loaded.
   *
   * @param machineId of this machine
   * @param listen where it serves others, as the module takes it; empty for nowhere
   * @param key the key that it shares with the other machines
   */
  record LoadModule(int machineId, String listen, byte[] key) implements Task {}

  /** Ends processes of earlier runs, unloads the module, removes what was unpacked. */
  record Clean() implements Task {}

  /** A task of {@link RdmaSelftest}. */
  sealed interface OfRdma extends Task {}

  /**
   * Starts a machine at an RDMA device of this host. Answered by {@link RdmaPlace}.
   *
   * @param id its machine id; that of the kernel module has its own
   * @param key the key that it shares with the other machine
   * @param gid of the RDMA port; empty for any
   * @param backend whose machine it is
   */
  record RdmaMachine(int id, byte[] key, String gid, Backend backend) implements OfRdma {}

  /** Starts a parent on it, prepared. */
  record RdmaParent() implements OfRdma {}

  /**
   * Has the parent kill or stop what serves its pages.
   *
   * @param order as {@link org.mitosis.fixture.RdmaTrial.Parent} takes it
   */
  record RdmaOrder(String order) implements OfRdma {}

  /** Starts the end of the device's own floor that answers. Answered by its port. */
  record RdmaFloorServer() implements OfRdma {}

  /**
   * Measures the device's own floor. Answered by a median, in ns.
   *
   * @param host of the end that answers
   * @param port of it
   * @param read whether by one-sided READ; else by SEND and RECV
   * @param bytes of an answer
   */
  record RdmaFloorTime(String host, int port, boolean read, int bytes) implements OfRdma {}

  /**
   * Connects to a machine with another key. Answered by what is said then.
   *
   * @param parentMachine its id
   * @param address of it
   */
  record RdmaStranger(int parentMachine, String address) implements OfRdma {}

  /**
   * Starts a child, which checks a half of its memory.
   *
   * @param parentMachine id of the machine with the snapshot
   * @param address of it
   * @param resumeMode how it gets its pages
   * @param prefetch pages for each fault
   */
  record RdmaChild(int parentMachine, String address, ResumeMode resumeMode, int prefetch)
      implements OfRdma {}

  /** Has the child check the other half. Answered by {@link RdmaChecked}. */
  record RdmaGo() implements OfRdma {}

  /**
   * A machine at an RDMA device.
   *
   * @param id its machine id
   * @param address {@code rdma://}
   * @param host of that address
   * @param device what it is, in one line
   */
  record RdmaPlace(int id, String address, String host, String device) {}

  /**
   * What became of a child.
   *
   * @param end why it ended before its time; empty if it did not
   * @param wrong words of its memory that are not the parent's
   * @param medianNs of the first access to each 64 pages
   * @param byRdma pages, its machine's since it was started
   * @param byTcp pages
   * @param fallbacks requests that were repeated over TCP
   */
  record RdmaChecked(
      String end, long wrong, long medianNs, long byRdma, long byTcp, long fallbacks) {}

  /**
   * A task, and the number of its reply.
   *
   * @param id of this request
   * @param task what to do
   */
  record Request(long id, Task task) {}

  /**
   * An answer: at most one of value, error and samples is not null.
   *
   * @param id of the request; 0 for samples
   * @param value the answer
   * @param error a message
   * @param samples that have been measured since the last reply
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
   * The times of the work of a parent.
   *
   * @param coldNs the first time
   * @param warmNs the second time
   */
  record ParentTimes(long coldNs, long warmNs) {}

  /**
   * The facts of a machine.
   *
   * @param host its own name
   * @param version of benchmarks.jar
   * @param java its version
   * @param kernel release and build
   * @param user the account of the agent
   * @param root whether that is root
   * @param backends by name: why each cannot be used; empty if it can
   * @param userfaultfd why it is not allowed; empty if it is
   * @param memoryBytes available
   * @param diskBytes free where the jar is
   * @param address where ssh or the scheduler reached it; empty if unknown
   * @param functions by name: what each lacks, as a message; empty if nothing
   * @param heldBy the holder of the machine's lock; empty if it is free
   * @param gids of its RDMA ports
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
      String heldBy,
      List<String> gids) {}
}
