// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.mitosis.Child;
import org.mitosis.Device;
import org.mitosis.ForkRole;
import org.mitosis.Mitosis;

/**
 * A JVM that prepares itself with all its threads, and starts children of itself with {@code
 * mitosis-child}. A child goes on here: it checks itself, tells what it drew, and exits with 42.
 *
 * <p>Arguments: the path of mitosis-child, the handler id, a file, how the runtime directories of
 * other machines begin, what prepares ({@code now}, {@code quiet}, {@code crac}), and for each
 * child its name, a colon, and its options. The first child runs alone, then all others at once,
 * each of another machine on one of its own. Needs {@code -Dmitosis.backend}.
 */
public final class ForkedJvm {
  private static final Random RANDOM = new Random(5);
  private static final SecureRandom SECURE = new SecureRandom();
  private static final List<String> CALLS = new ArrayList<>();
  private static final List<String> CRAC_CALLS = new ArrayList<>();
  private static final org.crac.Resource RESOURCE =
      new org.crac.Resource() {
        @Override
        public void beforeCheckpoint(org.crac.Context<? extends org.crac.Resource> context) {
          CRAC_CALLS.add("beforeCheckpoint");
        }

        @Override
        public void afterRestore(org.crac.Context<? extends org.crac.Resource> context) {
          CRAC_CALLS.add("afterRestore");
        }
      };
  private static volatile Child child;

  private ForkedJvm() {}

  public static void main(String[] arguments) throws Exception {
    JvmChecks checks = new JvmChecks(Path.of(arguments[2]));
    SECURE.nextInt(); // children find bytes that were read ahead
    Mitosis.onPrepare(() -> CALLS.add("before"));
    Mitosis.onParent(() -> CALLS.add("parent"));
    Mitosis.onChild(
        told -> {
          child = told;
          CALLS.add("child");
        });
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (child != null) {
                    System.out.println("shutdown hook");
                  }
                }));
    try (Device device = Mitosis.open()) {
      int handlerId = Integer.parseInt(arguments[1]);
      ForkRole role = prepare(arguments[4], device, handlerId);
      if (role == ForkRole.CHILD) {
        goOnAsChild(checks, handlerId);
      }
      require(CALLS.equals(List.of("before", "parent")), "hooks of the parent: " + CALLS);
      System.out.println(runChild(arguments, 5));
      runAtOnce(arguments, 6);
    }
    checks.end();
  }

  private static ForkRole prepare(String how, Device device, int handlerId) throws Exception {
    switch (how) {
      case "quiet":
        return device.prepareWhenQuiet(handlerId, Duration.ofSeconds(50));
      case "crac":
        org.crac.Core.getGlobalContext().register(RESOURCE);
        org.crac.Core.checkpointRestore();
        require(
            CRAC_CALLS.equals(List.of("beforeCheckpoint", "afterRestore")),
            "calls by org.crac: " + CRAC_CALLS);
        return child == null ? ForkRole.PARENT : ForkRole.CHILD;
      default:
        return device.prepare(handlerId);
    }
  }

  private static void goOnAsChild(JvmChecks checks, int handlerId) {
    require(CALLS.equals(List.of("before", "child")), "hooks of a child: " + CALLS);
    require(child.handlerId() == handlerId, "told of handler id " + child.handlerId());
    require(!child.host().isEmpty(), "no host name");
    require(child.number() > 0, "a child without a number");
    String drawn =
        child.id()
            + " "
            + child.machineId()
            + "/"
            + child.number()
            + " "
            + Long.toHexString(SECURE.nextLong())
            + " "
            + UUID.randomUUID()
            + " "
            + Long.toHexString(RANDOM.nextLong());
    Map<String, String> wrong = checks.run();
    require(wrong.isEmpty(), "wrong: " + wrong);
    System.out.println("drew " + drawn);
    System.exit(ChildOfThisJvm.RIGHT);
  }

  private static void require(boolean condition, String problem) {
    if (!condition) {
      System.out.println(problem);
      System.exit(1);
    }
  }

  private static void runAtOnce(String[] arguments, int from) throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    List<Future<String>> children = new ArrayList<>();
    for (int i = from; i < arguments.length; i++) {
      int child = i;
      children.add(threads.submit(() -> runChild(arguments, child)));
    }
    for (Future<String> each : children) {
      System.out.println(each.get());
    }
    threads.shutdown();
  }

  private static String runChild(String[] arguments, int which) throws Exception {
    String[] nameAndOptions = arguments[which].split(":", 2);
    List<String> command = new ArrayList<>(List.of(arguments[0], "--handler-id", arguments[1]));
    command.addAll(List.of(nameAndOptions[1].split(" ")));
    return nameAndOptions[0] + " " + ChildOfThisJvm.run(command, arguments[3] + which, which);
  }
}
