// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;

/**
 * The command {@code doctor --tune}: the settings of the kernel that make times scatter, what to
 * set them to, and with {@code --apply} sets them.
 *
 * <p>What was there before is in a file in {@code /run} before anything is changed, so that it can
 * be restored after a crash, too; a restart of the machine removes both.
 */
final class Tuning {
  private static final String CPUS = "sys/devices/system/cpu";
  private static final String STATE = "run/mitosis-tune.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What a state file may have written to. */
  private static final String SETTABLE =
      CPUS
          + "/(cpu[0-9]+/cpufreq/scaling_governor|intel_pstate/no_turbo|cpufreq/boost|smt/control)"
          + "|proc/sys/kernel/randomize_va_space|sys/kernel/mm/transparent_hugepage/enabled";

  private final Path root;
  private final PrintStream out;

  /**
   * The tuning of the machine whose file systems are below a directory.
   *
   * @param root {@code /} for this machine
   */
  Tuning(Path root, PrintStream out) {
    this.root = root;
    this.out = out;
  }

  /**
   * A setting.
   *
   * @param name of it
   * @param files that hold it, below the root, one for each CPU or one; empty if this machine has
   *     none
   * @param target the value to set
   * @param why times scatter, or differ, with another
   */
  private record Setting(String name, List<String> files, String target, String why) {}

  /** In the order of setting: CPUs that go offline last lose their files. */
  private List<Setting> settings() {
    return List.of(
        new Setting(
            "governor",
            governors(),
            "performance",
            "the frequency follows the load, and times follow the frequency"),
        turbo(),
        new Setting(
            "aslr",
            existing("proc/sys/kernel/randomize_va_space"),
            "2",
            "one layout of memory would be measured; with 2 each fork has its own"),
        new Setting(
            "thp",
            existing("sys/kernel/mm/transparent_hugepage/enabled"),
            "madvise",
            "working sets would have huge pages or not, as the memory happens to be free"),
        new Setting(
            "smt",
            // It says "notsupported" and the like where it cannot be set.
            existing(CPUS + "/smt/control").stream()
                .filter(file -> List.of("on", "off").contains(value(file)))
                .toList(),
            "off",
            "two threads share a core, and slow each other down"));
  }

  private Setting turbo() {
    String why = "the frequency above the nominal one depends on heat and on the other cores";
    List<String> intel = existing(CPUS + "/intel_pstate/no_turbo");
    return intel.isEmpty()
        ? new Setting("turbo", existing(CPUS + "/cpufreq/boost"), "0", why)
        : new Setting("turbo", intel, "1", why);
  }

  private List<String> governors() {
    try (Stream<Path> cpus = Files.list(root.resolve(CPUS))) {
      return cpus.map(cpu -> cpu.getFileName().toString())
          .filter(name -> name.matches("cpu[0-9]+"))
          .map(name -> CPUS + "/" + name + "/cpufreq/scaling_governor")
          .filter(file -> Files.exists(root.resolve(file)))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private List<String> existing(String file) {
    return Files.exists(root.resolve(file)) ? List.of(file) : List.of();
  }

  /** The content of a file; of several choices the one in brackets; empty if it cannot be read. */
  private String value(String file) {
    try {
      String text = Files.readString(root.resolve(file)).strip();
      int open = text.indexOf('[');
      int close = text.indexOf(']', open + 1);
      return open < 0 || close < 0 ? text : text.substring(open + 1, close);
    } catch (IOException e) {
      return "";
    }
  }

  /** Prints each setting, its value and what to set. */
  ExitCode say() {
    boolean todo = false;
    for (Setting setting : settings()) {
      Set<String> values =
          setting.files().stream().map(this::value).collect(Collectors.toCollection(TreeSet::new));
      if (values.isEmpty()) {
        line(setting.name(), "cannot be set on this machine");
      } else if (values.equals(Set.of(setting.target()))) {
        line(setting.name(), setting.target() + ": nothing to do");
      } else {
        todo = true;
        line(
            setting.name(),
            String.join(" and ", values)
                + ": set "
                + setting.target()
                + " ("
                + setting.why()
                + ")");
        line("", "echo " + setting.target() + " | sudo tee " + files(setting));
      }
    }
    if (todo) {
      out.println(
          "set all of it: 'sudo java -jar mitosis-jmh/target/benchmarks.jar doctor --tune"
              + " --apply'");
    }
    if (Files.exists(root.resolve(STATE))) {
      out.println(
          "settings of before are in /" + STATE + ": restore them with --tune --restore, as root");
    }
    return ExitCode.DONE;
  }

  private static String files(Setting setting) {
    return setting.files().size() == 1
        ? "/" + setting.files().get(0)
        : "/" + CPUS + "/cpu*/cpufreq/scaling_governor";
  }

  /** Sets what differs; the values of before are kept first. It is done if all have their value. */
  ExitCode apply() {
    return fromKept("--apply", this::apply);
  }

  private ExitCode apply(Map<String, String> before) {
    ExitCode code = ExitCode.DONE;
    for (Setting setting : settings()) {
      for (String file : setting.files()) {
        String value = value(file);
        if (value.equals(setting.target())) {
          continue;
        }
        if (value.isEmpty()) {
          line(setting.name(), "/" + file + " cannot be read, so it is not set");
          code = ExitCode.FAILED;
          continue;
        }
        // What an earlier --apply has kept is what was there before all of them.
        before.putIfAbsent(file, value);
        try {
          keep(before);
        } catch (IOException e) {
          return refuse(
              "/"
                  + STATE
                  + " cannot be written ("
                  + FileFailure.reason(e)
                  + "), so nothing more is set");
        }
        code = code.or(set(setting.name(), file, value, setting.target()));
      }
    }
    if (before.isEmpty()) {
      out.println("nothing to set");
    } else {
      out.println(
          "restore: 'sudo java -jar mitosis-jmh/target/benchmarks.jar doctor --tune --restore'");
    }
    return code;
  }

  /**
   * Sets what differs, and restores it when the input ends or this JVM does.
   *
   * @param input that a user ends
   */
  ExitCode hold(InputStream input) {
    ExitCode code = apply();
    if (code != ExitCode.DONE) {
      return code.or(restore());
    }
    Thread atExit = new Thread(this::restore, "mitosis-tune-restore");
    Runtime.getRuntime().addShutdownHook(atExit);
    out.println("press Enter or Ctrl-C to restore");
    try {
      int read = input.read();
      while (read != -1 && read != '\n') {
        read = input.read();
      }
    } catch (IOException e) {
      // As if it had ended.
    }
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return ExitCode.FAILED; // the JVM ends, and the hook restores
    }
    return restore();
  }

  /**
   * Sets what was there before the first {@link #apply}.
   *
   * <p>It is done if every setting has that value now; else the file of it is kept.
   */
  ExitCode restore() {
    return fromKept("--restore", this::restore);
  }

  private ExitCode restore(Map<String, String> before) {
    if (before.isEmpty()) {
      out.println("nothing to restore: there is no /" + STATE);
      return ExitCode.DONE;
    }
    ExitCode code = ExitCode.DONE;
    List<String> files = new ArrayList<>(before.keySet());
    Collections.reverse(files);
    for (String file : files) {
      String value = value(file);
      if (!value.equals(before.get(file))) {
        code = code.or(set("restore", file, value, before.get(file)));
      }
    }
    try {
      if (code == ExitCode.DONE) {
        Files.delete(root.resolve(STATE));
      }
    } catch (IOException e) {
      return refuse("/" + STATE + " cannot be removed: " + FileFailure.reason(e));
    }
    return code;
  }

  private ExitCode set(String name, String file, String from, String to) {
    String failure = "";
    try {
      Files.write(
          root.resolve(file),
          to.getBytes(StandardCharsets.UTF_8),
          StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING);
    } catch (IOException e) {
      failure = FileFailure.reason(e);
    }
    if (failure.isEmpty() && !value(file).equals(to)) {
      failure = "the kernel took it, and it is still " + value(file);
    }
    line(
        name,
        "/" + file + ": " + from + " -> " + to + (failure.isEmpty() ? "" : " failed: " + failure));
    return failure.isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
  }

  /** Goes on with the values of before, if this is root and they can be read. */
  private ExitCode fromKept(String option, Function<Map<String, String>, ExitCode> action) {
    if (!isRoot(option)) {
      return ExitCode.NOT_HERE;
    }
    Map<String, String> before;
    try {
      before = kept();
    } catch (IOException e) {
      return refuse(FileFailure.message(e));
    }
    return action.apply(before);
  }

  /** The values of before, in the order in which they were changed; empty if nothing was. */
  private Map<String, String> kept() throws IOException {
    Path state = root.resolve(STATE);
    if (Files.notExists(state)) {
      return new LinkedHashMap<>();
    }
    Map<String, String> kept;
    try {
      kept =
          JSON.readValue(
              Files.readAllBytes(state), new TypeReference<LinkedHashMap<String, String>>() {});
    } catch (JsonProcessingException e) {
      throw new IOException("/" + STATE + " is damaged: set the values by hand, then remove it", e);
    }
    for (Map.Entry<String, String> one : kept.entrySet()) {
      if (!one.getKey().matches(SETTABLE) || one.getValue() == null) {
        throw new IOException(
            "/"
                + STATE
                + " names "
                + one.getKey()
                + ", which is no setting of --tune: look at it, then remove it");
      }
    }
    return kept;
  }

  private void keep(Map<String, String> before) throws IOException {
    Path state = root.resolve(STATE);
    Path written = state.resolveSibling(state.getFileName() + ".new");
    Files.createDirectories(state.getParent());
    Files.write(written, JSON.writeValueAsBytes(before));
    try {
      Files.move(
          written, state, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(written, state, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private boolean isRoot(String option) {
    Long user = new MachineProbe(root).machine().rights().user();
    if (user == null || user != 0) {
      out.println(
          "doctor --tune "
              + option
              + " needs root: run 'sudo java -jar mitosis-jmh/target/benchmarks.jar doctor --tune "
              + option
              + "'");
      return false;
    }
    return true;
  }

  private ExitCode refuse(String message) {
    out.println(message);
    return ExitCode.FAILED;
  }

  private void line(String name, String text) {
    out.println(String.format(Locale.ROOT, "  %-8s %s", name, text));
  }
}
