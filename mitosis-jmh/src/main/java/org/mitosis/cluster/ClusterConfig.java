// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.Backend;
import org.mitosis.Limits;
import org.mitosis.fixture.ChildOptions;
import org.mitosis.fixture.FanOut;
import org.mitosis.fixture.LaunchLoop;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.ReplicaFill;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Verify;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The parsed and checked settings of a config file: the machines of a cluster and what is measured
 * on them.
 *
 * @param user the account on all machines; empty for the choice of ssh
 * @param projectPath folder of the jar on each machine: absolute, or below the home directory
 * @param parentHost the parent machine; empty if a scheduler chooses it
 * @param childHosts the child machines, in their order
 * @param proxyAllowed whether ssh may use the jump hosts of ~/.ssh/config
 * @param filter which lines of the log are printed
 * @param parentAddress where the parent machine listens: HOST or HOST:PORT; empty for the address
 *     to which ssh connected
 * @param parentGid a GID of the parent machine's RDMA port; empty for TCP
 * @param backend the backend on all machines
 * @param givenLoops loops on each machine, if given
 * @param givenSeconds time to measure each point of a target, in s, if given
 * @param givenTimes samples of each point, for a target that counts them, if given
 * @param givenMemorySizes working sets; empty if not given
 * @param givenFunctions functions; empty if not given
 * @param givenTouchRatios percentages of the working set that are touched; empty if not given
 * @param resumeMode how children get their pages
 * @param replicaFill what replicas have of a snapshot before their children ask
 * @param fanOut from which machine each child machine gets pages
 * @param verify whether what comes from machines between is compared with the parent machine's
 * @param prefetch pages for each fault
 * @param filesMap where children open what their parent had open, by its path there
 * @param placement where launchers and children run
 * @param sshConfig a file for {@code ssh -F}; null for ssh's own
 * @param java the java command on all machines
 * @param deploys whether benchmarks.jar is copied to machines that lack it
 * @param leaseSeconds time after which a machine without a message from the coordinator ends what
 *     it runs
 * @param asMap the text of all keys that have a value, for the description of a run
 */
record ClusterConfig(
    String user,
    String projectPath,
    String parentHost,
    List<String> childHosts,
    boolean proxyAllowed,
    Pattern filter,
    String parentAddress,
    String parentGid,
    Backend backend,
    OptionalInt givenLoops,
    OptionalInt givenSeconds,
    OptionalInt givenTimes,
    List<MemorySize> givenMemorySizes,
    List<PythonFunction> givenFunctions,
    List<Integer> givenTouchRatios,
    ResumeMode resumeMode,
    ReplicaFill replicaFill,
    FanOut fanOut,
    Verify verify,
    int prefetch,
    Map<String, String> filesMap,
    Placement placement,
    Path sshConfig,
    String java,
    boolean deploys,
    int leaseSeconds,
    Map<String, String> asMap) {
  /** The keys: those of the MITOSIS artifact's makefile, and some of our own. */
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
    REPLICA_FILL,
    FANOUT,
    VERIFY,
    PREFETCH,
    FILES_MAP,
    PLACEMENT,
    SSH_CONFIG,
    JAVA,
    DEPLOY,
    LEASE_SECONDS;

    /** Whether a key has this name. */
    static boolean exists(String name) {
      return Arrays.stream(values()).anyMatch(key -> key.name().equals(name));
    }
  }

  /** The default of the lease, in s: also of an agent that is started without a coordinator. */
  static final int DEFAULT_LEASE_S = 10;

  /** A name that becomes an argument of a shell or program: no blank, quote or leading dash. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  private static final Pattern GID = Pattern.compile("[0-9a-fA-F]{4}(:[0-9a-fA-F]{4}){7}");
  private static final Pattern ADDRESS = Pattern.compile("[A-Za-z0-9._-]+(:[0-9]{1,5})?");
  private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9._/+@-]+");

  /** Port of the module, if PARENT_ADDRESS has none: one command loads it, another one runs. */
  private static final int KERNEL_PORT = 7473;

  /**
   * Parses settings.
   *
   * @param settings by key, as {@link ConfigFile} reads them
   * @throws MissingPrerequisite if a key is unknown or a value cannot be used; the message names
   *     place, key, value and what is allowed
   */
  static ClusterConfig of(Map<String, Setting> settings) {
    return new Parser(settings, true).parse();
  }

  /** The same, for a command that asks the parent machine's module itself for its address. */
  static ClusterConfig withoutAddress(Map<String, Setting> settings) {
    return new Parser(settings, false).parse();
  }

  /** Whether children of the user backend get their pages by RDMA. */
  boolean overRdma() {
    return backend == Backend.USER && !parentGid.isEmpty();
  }

  /** Address of the kernel module of the parent machine: over RDMA if it has a GID. */
  String kernelAddress() {
    if (!parentGid.isEmpty()) {
      return parentGid;
    }
    return "tcp://"
        + (parentAddress.contains(":") ? parentAddress : parentAddress + ":" + KERNEL_PORT);
  }

  /** Loops on each machine. */
  int loops(int defaultValue) {
    return givenLoops.orElse(defaultValue);
  }

  /** Time to measure each point of a target, in s. */
  int seconds(int defaultValue) {
    return givenSeconds.orElse(defaultValue);
  }

  /** Samples of each point, for a target that counts them. */
  int times(int defaultValue) {
    return givenTimes.orElse(defaultValue);
  }

  /** Working sets. */
  List<MemorySize> memorySizes(List<MemorySize> defaultValue) {
    return givenMemorySizes.isEmpty() ? defaultValue : givenMemorySizes;
  }

  /** Functions. */
  List<PythonFunction> functions(List<PythonFunction> defaultValue) {
    return givenFunctions.isEmpty() ? defaultValue : givenFunctions;
  }

  /** Percentages of the working set that are touched. */
  List<Integer> touchRatios(List<Integer> defaultValue) {
    return givenTouchRatios.isEmpty() ? defaultValue : givenTouchRatios;
  }

  /** Reads each key once. */
  private static final class Parser {
    private final Map<String, Setting> settings;
    private final boolean kernelNeedsAddress;

    Parser(Map<String, Setting> settings, boolean kernelNeedsAddress) {
      this.settings = settings;
      this.kernelNeedsAddress = kernelNeedsAddress;
    }

    ClusterConfig parse() {
      settings.forEach(
          (key, setting) -> {
            if (!Key.exists(key)) {
              throw setting.bad(
                  key,
                  "is not a key; 'cluster template' prints a file with all keys and what they"
                      + " mean");
            }
          });
      if (!text(Key.PWD).isEmpty()) {
        throw bad(
            Key.PWD,
            "holds a password, which must not be in a file: leave it empty, and use an ssh key"
                + " (ssh-copy-id), an agent, or ~/.ssh/config");
      }
      List<String> childHosts = childHosts();
      checkQuotedHosts(childHosts);
      String parentGid =
          matching(
              Key.PARENT_GID,
              GID,
              "",
              "a GID of 39 characters, such as fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c"
                  + " (show_gids)");
      String parentAddress = matching(Key.PARENT_ADDRESS, ADDRESS, "", "HOST or HOST:PORT");
      Backend backend = choice(Key.BACKEND, Backend.class, Backend.USER);
      if (kernelNeedsAddress
          && backend == Backend.KERNEL
          && parentGid.isEmpty()
          && parentAddress.isEmpty()) {
        throw bad(
            Key.BACKEND,
            "'kernel' needs PARENT_GID (show_gids) or PARENT_ADDRESS, where the parent machine is");
      }
      String sshConfig = text(Key.SSH_CONFIG);
      ResumeMode resumeMode = choice(Key.RESUME_MODE, ResumeMode.class, ResumeMode.LAZY);
      return new ClusterConfig(
          matching(Key.USER, NAME, "", "a user name"),
          matching(
              Key.PROJECT_PATH, FOLDER, "mitosis-cluster", "a folder without blanks and quotes"),
          matching(Key.PARENT_HOST, NAME, "", "a host name"),
          childHosts,
          flag(Key.USE_PROXY_COMMAND),
          filter(),
          parentAddress,
          parentGid,
          backend,
          number(Key.LOOPS, 1, LaunchLoop.MAX_LOOPS),
          number(Key.SECONDS, 1, LaunchLoop.MAX_SECONDS),
          number(Key.TIMES, 1, 1_000_000),
          list(Key.MEMORY_SIZES, MemorySize::parse),
          list(Key.FUNCTIONS, PythonFunction::parse),
          list(Key.TOUCH_RATIOS, Parser::percentage),
          resumeMode,
          choice(Key.REPLICA_FILL, ReplicaFill.class, ReplicaFill.RECORDED),
          fanOut(backend, parentGid),
          choice(Key.VERIFY, Verify.class, Verify.OFF),
          prefetch(),
          filesMap(resumeMode),
          choice(Key.PLACEMENT, Placement.class, Placement.PINNED),
          sshConfig.isEmpty() ? null : Path.of(sshConfig).toAbsolutePath(),
          matching(Key.JAVA, FOLDER, "java", "a program without blanks and quotes"),
          flag(Key.DEPLOY),
          number(Key.LEASE_SECONDS, 2, 600).orElse(DEFAULT_LEASE_S),
          given());
    }

    private String text(Key key) {
      Setting setting = settings.get(key.name());
      return setting == null ? "" : setting.value();
    }

    private List<String> items(Key key) {
      return Stream.of(text(key).split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
    }

    private List<String> childHosts() {
      List<String> hosts = items(Key.CHILD_HOSTS);
      for (String host : hosts) {
        if (!NAME.matcher(host).matches()) {
          throw bad(Key.CHILD_HOSTS, "must be host names with commas between, got '" + host + "'");
        }
      }
      if (Set.copyOf(hosts).size() < hosts.size()) {
        throw bad(Key.CHILD_HOSTS, "names a host twice; LOOPS says how many loops run on each");
      }
      return hosts;
    }

    private void checkQuotedHosts(List<String> childHosts) {
      if (text(Key.STR_CHILD_HOSTS).isEmpty()) {
        return;
      }
      List<String> quoted =
          items(Key.STR_CHILD_HOSTS).stream()
              .map(host -> host.replaceAll("^['\"]|['\"]$", ""))
              .filter(host -> !host.isEmpty())
              .toList();
      if (!quoted.equals(childHosts)) {
        throw bad(Key.STR_CHILD_HOSTS, "must name the hosts of CHILD_HOSTS; it can be left out");
      }
    }

    private Pattern filter() {
      try {
        return Pattern.compile(text(Key.FILTER), Pattern.CASE_INSENSITIVE);
      } catch (PatternSyntaxException e) {
        throw bad(
            Key.FILTER,
            "must be a regular expression, got '" + text(Key.FILTER) + "': " + e.getDescription());
      }
    }

    private static Integer percentage(String text) {
      if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) > 100) {
        throw new IllegalArgumentException("must be between 0 and 100, got '" + text + "'");
      }
      return Integer.valueOf(text);
    }

    private FanOut fanOut(Backend backend, String parentGid) {
      String text = text(Key.FANOUT);
      if (text.isEmpty()) {
        return FanOut.FLAT;
      }
      try {
        FanOut fanOut = FanOut.parse(text);
        if (fanOut.isTree() && (backend == Backend.KERNEL || !parentGid.isEmpty())) {
          throw bad(
              Key.FANOUT,
              fanOut
                  + " passes pages on by TCP, on the user backend: leave BACKEND and PARENT_GID"
                  + " empty, or choose flat");
        }
        return fanOut;
      } catch (IllegalArgumentException e) {
        throw bad(Key.FANOUT, e.getMessage());
      }
    }

    private int prefetch() {
      String pages = text(Key.PREFETCH);
      if (pages.isEmpty()) {
        return Limits.PREFETCH_PAGES_DEFAULT;
      }
      try {
        return Preflight.requirePrefetch(Integer.parseInt(pages));
      } catch (IllegalArgumentException e) {
        throw bad(
            Key.PREFETCH,
            "must be a power of two between 1 and "
                + Limits.PREFETCH_PAGES_MAX
                + ", got '"
                + pages
                + "'");
      }
    }

    private Map<String, String> filesMap(ResumeMode resumeMode) {
      Map<String, String> paths = new TreeMap<>();
      for (String item : items(Key.FILES_MAP)) {
        int equals = item.indexOf('=');
        if (!item.startsWith("/") || equals < 0 || !item.startsWith("/", equals + 1)) {
          throw bad(
              Key.FILES_MAP,
              "must be OLD=NEW with absolute paths, and commas between, got '" + item + "'");
        }
        String old = item.substring(0, equals);
        if (paths.put(old, item.substring(equals + 1)) != null) {
          throw bad(Key.FILES_MAP, "names the path '" + old + "' twice");
        }
      }
      if (paths.size() > ChildOptions.MAX_PATHS) {
        throw bad(
            Key.FILES_MAP,
            "must have at most " + ChildOptions.MAX_PATHS + " paths, got " + paths.size());
      }
      if (!paths.isEmpty()
          && (resumeMode == ResumeMode.CLONE || resumeMode == ResumeMode.REPLICA)) {
        throw bad(
            Key.FILES_MAP,
            "is for children that make their files themselves, and those of RESUME_MODE "
                + resumeMode
                + " are forked with them: choose lazy, eager, cached or auto");
      }
      return Collections.unmodifiableMap(paths);
    }

    private <T> List<T> list(Key key, Function<String, T> parse) {
      List<T> parsed = new ArrayList<>();
      for (String item : items(key)) {
        try {
          parsed.add(parse.apply(item));
        } catch (IllegalArgumentException e) {
          throw bad(key, e.getMessage());
        }
      }
      return List.copyOf(parsed);
    }

    private String matching(Key key, Pattern pattern, String defaultValue, String allowed) {
      String value = text(key);
      if (value.isEmpty()) {
        return defaultValue;
      }
      if (!pattern.matcher(value).matches()) {
        throw bad(key, "must be " + allowed + ", got '" + value + "'");
      }
      return value;
    }

    private <E extends Enum<E>> E choice(Key key, Class<E> values, E defaultValue) {
      String value = text(key);
      if (value.isEmpty()) {
        return defaultValue;
      }
      for (E one : values.getEnumConstants()) {
        if (one.name().equalsIgnoreCase(value)) {
          return one;
        }
      }
      throw bad(
          key,
          "must be one of "
              + Stream.of(values.getEnumConstants())
                  .map(Object::toString)
                  .collect(Collectors.joining(", "))
              + ", got '"
              + value
              + "'");
    }

    /** The value of a flag, which is true by default. */
    private boolean flag(Key key) {
      return switch (text(key)) {
        case "", "true" -> true;
        case "false" -> false;
        default -> throw bad(key, "must be true or false, got '" + text(key) + "'");
      };
    }

    private OptionalInt number(Key key, int min, int max) {
      String value = text(key);
      if (value.isEmpty()) {
        return OptionalInt.empty();
      }
      if (value.matches("[0-9]{1,9}")) {
        int number = Integer.parseInt(value);
        if (number >= min && number <= max) {
          return OptionalInt.of(number);
        }
      }
      throw bad(key, "must be between " + min + " and " + max + ", got '" + value + "'");
    }

    private Map<String, String> given() {
      Map<String, String> given = new TreeMap<>();
      settings.forEach((key, setting) -> given.put(key, setting.value()));
      given.values().removeIf(String::isEmpty);
      return Collections.unmodifiableMap(given);
    }

    private MissingPrerequisite bad(Key key, String problem) {
      return settings.get(key.name()).bad(key.name(), problem);
    }
  }
}
