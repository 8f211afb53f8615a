// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.ForkRole;
import org.mitosis.Mitosis;

/**
 * A JVM that prepares itself, says so, and ends with its standard input. A child does what the
 * first line of its own standard input says, and exits with 42 if that went well.
 *
 * <p>Arguments: the handler id, and a file of at least a page.
 */
final class PreparedJvm {
  static final int RIGHT = 42;

  /** What the parent, and a child that is told to exit, says right before it does. */
  static final String EXITS = "exits";

  /** System property of a child, which its parent does not have. */
  static final String CHILD_PROPERTY = "mitosis.test.child";

  private PreparedJvm() {}

  public static void main(String[] arguments) throws Exception {
    int handlerId = Integer.parseInt(arguments[0]);
    JvmChecks checks = new JvmChecks(Path.of(arguments[1]));
    try (Device device = Mitosis.open(Backend.USER)) {
      if (device.prepare(handlerId) == ForkRole.CHILD) {
        System.setProperty(CHILD_PROPERTY, "yes");
        System.exit(goOnAsChild(checks, handlerId + 1));
      }
      System.out.println("prepared");
      while (System.in.read() != -1) {
        continue;
      }
    }
    System.out.println(EXITS);
    System.exit(0);
  }

  private static int goOnAsChild(JvmChecks checks, int nextId) throws Exception {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String order = String.valueOf(input.readLine());
    switch (order) {
      case "check":
        return check(checks);
      case "exit":
        System.out.println(EXITS);
        return RIGHT;
      case "stay":
        System.out.println("stays");
        return input.readLine() == null ? RIGHT : 1;
      case "prepare":
        return prepareAgain(checks, nextId);
      default:
        System.out.println("not an order: " + order);
        return 1;
    }
  }

  private static int check(JvmChecks checks) {
    Map<String, String> wrong = checks.run();
    System.out.println(wrong.isEmpty() ? "right" : "wrong: " + wrong);
    return wrong.isEmpty() ? RIGHT : 1;
  }

  /** A child is the parent of the next one, and both run the checks. */
  private static int prepareAgain(JvmChecks checks, int nextId) throws Exception {
    try (Device device = Mitosis.open(Backend.USER)) {
      if (device.prepare(nextId) == ForkRole.CHILD) {
        System.exit(check(checks));
      }
      Process child = Children.of(nextId).builder().redirectErrorStream(true).start();
      child.getOutputStream().close();
      System.out.println(
          "its child: "
              + new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
      return child.waitFor() == RIGHT ? check(checks) : 1;
    }
  }
}
