// SPDX-License-Identifier: Apache-2.0
package org.mitosis.agent;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.mitosis.Device;
import org.mitosis.ForkRole;
import org.mitosis.HookException;
import org.mitosis.Mitosis;

/**
 * An agent that takes a snapshot of the JVM that it is loaded into. Hooks of the application run,
 * also those for org.crac. Its children go on with all threads, as the application was.
 *
 * <p>What came of it is in the system property {@value #OUTCOME_PROPERTY}: the request's name, a
 * blank, and {@code prepared} or {@code failed: } with the message.
 */
public final class PrepareAgent {
  /** System property that an agent of this JVM sets. */
  public static final String OUTCOME_PROPERTY = "mitosis.agent.outcome";

  /** Open for as long as the JVM runs: the snapshot goes with it. */
  private static Device device;

  private PrepareAgent() {}

  /**
   * Called by the JVM.
   *
   * @param arguments {@code request=NAME,handlerId=N,pinned=BOOLEAN,quietMs=N}
   * @throws InterruptedException if the JVM interrupts the agent
   */
  public static void agentmain(String arguments) throws InterruptedException {
    Map<String, String> values = new TreeMap<>();
    for (String pair : arguments.split(",")) {
      String[] nameAndValue = pair.split("=", 2);
      values.put(nameAndValue[0], nameAndValue[1]);
    }
    // Not in the thread of the JVM that serves tools: a child goes on in the thread that prepares.
    Thread thread = new Thread(() -> run(values), "mitosis prepare");
    thread.setDaemon(true);
    thread.start();
    thread.join();
  }

  private static void run(Map<String, String> values) {
    String request = values.get("request");
    try {
      ForkRole role =
          prepare(
              Integer.parseInt(values.get("handlerId")),
              Boolean.parseBoolean(values.get("pinned")),
              Duration.ofMillis(Long.parseLong(values.get("quietMs"))));
      if (role == ForkRole.PARENT) {
        System.setProperty(OUTCOME_PROPERTY, request + " prepared");
      }
    } catch (RuntimeException | LinkageError e) {
      System.setProperty(OUTCOME_PROPERTY, request + " failed: " + message(e));
    }
  }

  private static synchronized ForkRole prepare(int handlerId, boolean pinned, Duration quiet) {
    Device own = Mitosis.open();
    try {
      ForkRole role;
      if (quiet.isZero()) {
        role = pinned ? own.preparePinned(handlerId) : own.prepare(handlerId);
      } else {
        role =
            pinned
                ? own.preparePinnedWhenQuiet(handlerId, quiet)
                : own.prepareWhenQuiet(handlerId, quiet);
      }
      if (role == ForkRole.PARENT && !pinned) {
        device = own;
      } else if (role == ForkRole.PARENT) {
        own.close();
      }
      return role;
    } catch (HookException e) {
      if (e.role() == ForkRole.CHILD) {
        // It may share with its siblings what the hook should have replaced, and has no caller.
        System.err.println("mitosis: " + message(e));
        Runtime.getRuntime().halt(1);
      }
      if (e.prepared() && !pinned) {
        device = own; // the message says that the snapshot is there
      } else {
        own.close();
      }
      throw e;
    } catch (RuntimeException e) {
      own.close();
      throw e;
    }
  }

  private static String message(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
