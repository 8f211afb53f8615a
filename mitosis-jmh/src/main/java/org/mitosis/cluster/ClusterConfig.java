// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import org.mitosis.Limits;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The machines of a cluster and what is to be run on them: the keys of the MITOSIS artifact's
 * makefile, and some of our own.
 *
 * <p>Each bad value is refused with one sentence that names its key.
 */
final class ClusterConfig {
  /** What a key is about, for the template and for messages about unknown keys. */
  enum Key {
    USER,
    PWD,
    PROJECT_PATH,
    PARENT_GID,
    PARENT_HOST,
    CHILD_HOSTS,
    STR_CHILD_HOSTS,
    USE_PROXY_COMMAND,
    FILTER,
    PARENT_ADDRESS,
    BACKEND,
    LOOPS,
    SECONDS,
    TIMES,
    MEMORY_SIZES,
    FUNCTIONS,
    TOUCH_RATIOS,
    RESUME_MODE,
    PREFETCH,
    PLACEMENT,
    SSH_CONFIG,
    JAVA,
    DEPLOY,
    LEASE_SECONDS
  }

  /** Words that are carried out by a shell or end up in options: no blanks, quotes or dashes. */
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  private static final Pattern USER_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");
  private static final Pattern GID = Pattern.compile("[0-9a-fA-F]{4}(:[0-9a-fA-F]{4}){7}");
  private static final Pattern ADDRESS = Pattern.compile("[A-Za-z0-9._-]+(:[0-9]{1,5})?");
  private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9._/+@-]+");

  /** Of the module, if PARENT_ADDRESS has none: it is told when it is loaded, runs come later. */
  private static final int KERNEL_PORT = 7473;

  private static final int LONGEST_LEASE_S = 600;

  private final Map<String, String> values;
  private final String source;

  /**
   * Reads values.
   *
   * @param values by key, as {@link ConfigFile} gives them
   * @param source where they are from, for messages
   */
  ClusterConfig(Map<String, String> values, String source) {
    this.values = new TreeMap<>(values);
    this.source = source;
    for (String key : values.keySet()) {
      if (Arrays.stream(Key.values()).noneMatch(known -> known.name().equals(key))) {
        throw new MissingPrerequisite(
            source
                + ": "
                + key
                + " is no key; 'cluster template' writes a file with all keys and what they mean");
      }
    }
    check();
  }

  private void check() {
    if (!value(Key.PWD).isEmpty()) {
      throw bad(
          Key.PWD,
          "holds a password: no password in a file is used. Leave it empty; use an ssh key"
              + " (ssh-copy-id), an agent, or what ~/.ssh/config says");
    }
    parentHost();
    childHosts();
    stringChildHosts();
    user();
    projectPath();
    parentGid();
    parentAddress();
    filter();
    backend();
    loops(1);
    seconds(1);
    times(1);
    memorySizes(List.of());
    functions(List.of());
    touchRatios(List.of());
    resumeMode();
    prefetch();
    placement();
    proxyAllowed();
    deploys();
    leaseSeconds();
    java();
  }

  /** The account on all machines; empty for what ssh chooses. */
  String user() {
    return matching(Key.USER, USER_NAME, "a user name");
  }

  /** Where the jar goes on each machine: absolute, or below the home directory. */
  String projectPath() {
    String path = matching(Key.PROJECT_PATH, FOLDER, "a folder without blanks and quotes");
    return path.isEmpty() ? "mitosis-cluster" : path;
  }

  /** The parent machine; empty if a scheduler is to choose it. */
  String parentHost() {
    return matching(Key.PARENT_HOST, HOST, "a host name");
  }

  /** The child machines, in their order. */
  List<String> childHosts() {
    List<String> hosts = list(Key.CHILD_HOSTS);
    for (String host : hosts) {
      if (!HOST.matcher(host).matches()) {
        throw bad(Key.CHILD_HOSTS, "has '" + host + "', which is no host name");
      }
    }
    Set<String> distinct = new LinkedHashSet<>(hosts);
    if (distinct.size() < hosts.size()) {
      throw bad(Key.CHILD_HOSTS, "has a host twice; LOOPS says how many loops run on each");
    }
    return hosts;
  }

  private void stringChildHosts() {
    if (value(Key.STR_CHILD_HOSTS).isEmpty()) {
      return;
    }
    List<String> quoted =
        list(Key.STR_CHILD_HOSTS).stream()
            .map(host -> host.replaceAll("^['\"]|['\"]$", ""))
            .filter(host -> !host.isEmpty())
            .toList();
    if (!quoted.equals(childHosts())) {
      throw bad(
          Key.STR_CHILD_HOSTS,
          "is not the same hosts as CHILD_HOSTS; leave it out, it is derived from that");
    }
  }

  /** The address of the parent machine's RDMA port; empty if there is none. */
  String parentGid() {
    return matching(
        Key.PARENT_GID,
        GID,
        "a GID of 39 characters, such as fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c (show_gids)");
  }

  /** Where the parent machine listens: HOST or HOST:PORT; empty for where ssh reached it. */
  String parentAddress() {
    return matching(Key.PARENT_ADDRESS, ADDRESS, "HOST or HOST:PORT");
  }

  /** Where the kernel module of the parent machine is reached: over RDMA if it has a GID. */
  String kernelAddress() {
    if (!parentGid().isEmpty()) {
      return parentGid();
    }
    String address = parentAddress();
    return "tcp://" + (address.contains(":") ? address : address + ":" + KERNEL_PORT);
  }

  /** Whether a machine may be reached through another one, as ~/.ssh/config says. */
  boolean proxyAllowed() {
    return flag(Key.USE_PROXY_COMMAND, true);
  }

  /** Whether benchmarks.jar is copied to machines that lack it. */
  boolean deploys() {
    return flag(Key.DEPLOY, true);
  }

  /** Which lines of the log are printed; all if there is no filter. Case does not matter. */
  Pattern filter() {
    try {
      return Pattern.compile(value(Key.FILTER), Pattern.CASE_INSENSITIVE);
    } catch (PatternSyntaxException e) {
      throw bad(Key.FILTER, "is no regular expression: " + e.getDescription());
    }
  }

  /** The backend on all machines: {@code user} or {@code kernel}. */
  String backend() {
    String backend = value(Key.BACKEND).isEmpty() ? "user" : value(Key.BACKEND);
    if (!backend.equals("user") && !backend.equals("kernel")) {
      throw bad(Key.BACKEND, "'" + backend + "' is neither user nor kernel");
    }
    if (backend.equals("kernel") && parentGid().isEmpty() && parentAddress().isEmpty()) {
      throw bad(
          Key.BACKEND,
          "kernel needs PARENT_GID (show_gids) or PARENT_ADDRESS, where the parent machine is");
    }
    return backend;
  }

  /** Loops on each machine. */
  int loops(int unlessGiven) {
    return number(Key.LOOPS, unlessGiven, 1, 1024);
  }

  /** How long each point of a target is measured, in s. */
  int seconds(int unlessGiven) {
    return number(Key.SECONDS, unlessGiven, 1, 3600);
  }

  /** How many samples a target takes that counts them. */
  int times(int unlessGiven) {
    return number(Key.TIMES, unlessGiven, 1, 1_000_000);
  }

  /** A machine whose coordinator is not heard of for so long ends what runs there. */
  int leaseSeconds() {
    return number(Key.LEASE_SECONDS, 10, 2, LONGEST_LEASE_S);
  }

  /** Working sets. */
  List<MemorySize> memorySizes(List<MemorySize> unlessGiven) {
    return list(Key.MEMORY_SIZES, MemorySize::parse, unlessGiven);
  }

  /** Functions. */
  List<PythonFunction> functions(List<PythonFunction> unlessGiven) {
    return list(Key.FUNCTIONS, PythonFunction::parse, unlessGiven);
  }

  /** Shares of the working set that are touched, in percent. */
  List<Integer> touchRatios(List<Integer> unlessGiven) {
    return list(
        Key.TOUCH_RATIOS,
        text -> {
          if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > 100) {
            throw new IllegalArgumentException("'" + text + "' is no percentage");
          }
          return Integer.parseInt(text);
        },
        unlessGiven);
  }

  /** How children get their pages. */
  ResumeMode resumeMode() {
    String mode = value(Key.RESUME_MODE);
    return mode.isEmpty()
        ? ResumeMode.LAZY
        : Preflight.choice(ResumeMode.class, Key.RESUME_MODE.name(), mode);
  }

  /** Pages for each fault. */
  int prefetch() {
    String pages = value(Key.PREFETCH);
    return pages.isEmpty() ? Limits.PREFETCH_PAGES_DEFAULT : Preflight.prefetch(pages);
  }

  /** Where launchers and children run. */
  Placement placement() {
    String placement = value(Key.PLACEMENT);
    return placement.isEmpty()
        ? Placement.PINNED
        : Preflight.choice(Placement.class, Key.PLACEMENT.name(), placement);
  }

  /** A file for {@code ssh -F}; null for what ssh reads by itself. */
  Path sshConfig() {
    String file = value(Key.SSH_CONFIG);
    return file.isEmpty() ? null : Path.of(file).toAbsolutePath();
  }

  /** The java command on all machines. */
  String java() {
    String java = matching(Key.JAVA, FOLDER, "a program without blanks and quotes");
    return java.isEmpty() ? "java" : java;
  }

  /** All keys that have a value, for the description of a run. */
  Map<String, String> asMap() {
    Map<String, String> map = new TreeMap<>(values);
    map.values().removeIf(String::isEmpty);
    return map;
  }

  private String value(Key key) {
    return values.getOrDefault(key.name(), "");
  }

  private List<String> list(Key key) {
    return Stream.of(value(key).split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  private <T> List<T> list(Key key, Function<String, T> parse, List<T> unlessGiven) {
    List<T> parsed = new ArrayList<>();
    for (String text : list(key)) {
      try {
        parsed.add(parse.apply(text));
      } catch (IllegalArgumentException e) {
        throw bad(key, "cannot be read: " + e.getMessage());
      }
    }
    return parsed.isEmpty() ? unlessGiven : List.copyOf(parsed);
  }

  private String matching(Key key, Pattern pattern, String what) {
    String value = value(key);
    if (!value.isEmpty() && !pattern.matcher(value).matches()) {
      throw bad(key, "'" + value + "' is not " + what);
    }
    return value;
  }

  private boolean flag(Key key, boolean unlessGiven) {
    return switch (value(key)) {
      case "" -> unlessGiven;
      case "true" -> true;
      case "false" -> false;
      default -> throw bad(key, "'" + value(key) + "' is neither true nor false");
    };
  }

  private int number(Key key, int unlessGiven, int min, int max) {
    String text = value(key);
    if (text.isEmpty()) {
      return unlessGiven;
    }
    if (text.matches("[0-9]{1,9}")) {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    }
    throw bad(key, "'" + text + "' is no whole number from " + min + " to " + max);
  }

  private MissingPrerequisite bad(Key key, String problem) {
    return new MissingPrerequisite(source + ": " + key + " " + problem);
  }
}
