// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.fixture.UserfaultfdRight;

/** What benchmarks.jar prints without running a benchmark. */
class CommandLineIT {
  /** Runs its arguments where userfaultfd (323) is refused with EPERM, as in a container. */
  private static final String WITHOUT_USERFAULTFD =
      """
      import ctypes, os, struct, sys
      code = [(0x20, 0, 0, 0), (0x15, 0, 1, 323), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)]
      filter = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *line) for line in code))
      program = struct.pack('HQ', len(code), ctypes.addressof(filter))
      libc = ctypes.CDLL(None)
      if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
          sys.exit('no filter')
      os.execvp(sys.argv[1], sys.argv[1:])
      """;

  /** The capabilities that Docker leaves to a container. */
  private static final String DOCKER =
      "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,"
          + "+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-h",
        "-l",
        "-lp",
        "-lprof",
        "-lrf",
        "-l Fork",
        "-lp ForkPrepare -p memorySize=1m"
      })
  void isJmhsOwnAndNeedsNothing(String commandLine) throws IOException {
    List<String> args = List.of(commandLine.split(" "));
    jar.property("mitosis.backend", "kernel")
        .property("mitosis.device", directory.resolve("missing").toString());
    BenchmarksJar.Outcome jmhs = jar.runJmh(args);
    BenchmarksJar.Outcome ours = jar.run(args);
    assertEquals(jmhs.out(), ours.out());
    assertEquals(withoutOurFrames(jmhs.err()), withoutOurFrames(ours.err()));
    assertEquals(jmhs.exitCode(), ours.exitCode());
    try (Stream<Path> left = Files.list(jar.workingDirectory())) {
      assertEquals(List.of(), left.toList());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "doctr | no benchmark matches 'doctr' (did you mean 'doctor'?); 'list' lists the benchmarks,"
            + " 'help' the commands",
        "Fork -e Fork | no benchmark matches 'Fork' without Fork; 'list' lists the benchmarks, 'help'"
            + " the commands",
        "[ | '[' is not a regular expression: Unclosed character class",
        "help compar | there is no command 'compar' (did you mean 'compare'?); 'help' lists all",
        "NilCall -jvm /no/java | -jvm /no/java is not a program that can be run",
        "--no-such-option | there is no option --no-such-option; -h lists JMH's options, 'help' the"
            + " others",
        "NilCall -nosuch | there is no option -nosuch; -h lists JMH's options, 'help' the others",
        "--pinn NilCall | there is no option --pinn (did you mean '--pin'?); -h lists JMH's options,"
            + " 'help' the others",
        "--pin=foo NilCall | --pin must be one of jvm, parent, daemon, children, got 'foo'",
        "-i none | Cannot parse argument 'none' of option i; -h explains JMH's options",
        "-bm nonsense | Unable to parse benchmark mode: \"nonsense\"; Known values are"
            + " [Throughput/thrpt, AverageTime/avgt, SampleTime/sample, SingleShotTime/ss, All/all];"
            + " -h explains JMH's options",
        "-rf xml NilCall | 'XML' is none of TEXT, CSV, SCSV, JSON, LATEX",
        "-p memorySize | Unable to parse parameter string \"memorySize\"; -h explains JMH's options",
        "-prof nosuch NilCall | there is no profiler 'nosuch'; -lprof lists them",
        "-prof gc:foo=bar NilCall | -prof gc:foo=bar: there is no option foo; -prof gc:help lists"
            + " its options",
        "NilCall --foe maybe | --foe must be true or false, got 'maybe'",
        "-gc yes NilCall | -gc must be true or false, got 'yes'",
        "-wmb ( NilCall | '(' is not a regular expression: Unclosed group",
        "sweep --nosuch | there is no option --nosuch; -h lists JMH's options, 'help' the others",
        "NilCall -p threds=1 | no selected benchmark has the parameter threds"
      })
  void aNameThatDoesNotExistIsOneLine(String commandLine, String message) throws IOException {
    BenchmarksJar.Outcome run = jar.run(List.of(commandLine.split(" ")));
    assertEquals("mitosis: " + message + "\n", run.err());
    assertEquals("", run.out());
    assertEquals(2, run.exitCode());
  }

  @Test
  void theUsageOfAProfilerIsPrinted() throws IOException {
    BenchmarksJar.Outcome usage = jar.run("-prof", "gc:help");
    assertTrue(usage.out().contains("Display help."), usage.out());
    assertEquals("", usage.err());
    assertEquals(0, usage.exitCode());
  }

  @Test
  void aSettingThatDoesNotExistIsOneLine() throws IOException {
    jar.property("mitosis.reslts", "/x");
    for (String command : List.of("doctor", "NilCall", "report")) {
      BenchmarksJar.Outcome run = jar.run(command);
      assertEquals(
          "mitosis: there is no setting -Dmitosis.reslts (did you mean 'mitosis.results'?); 'help'"
              + " lists all\n",
          run.err());
      assertEquals(2, run.exitCode());
    }
  }

  /** A stack trace ends in who called JMH's main, or in a count of frames. */
  private static String withoutOurFrames(String trace) {
    return trace.replaceAll("(?m)^\\s+(at org\\.mitosis\\..*|\\.\\.\\. [0-9]+ more)\\n", "");
  }

  @Test
  void helpNamesOurWordsAndPointsAtJmhs() throws IOException {
    BenchmarksJar.Outcome help = jar.run("help");
    assertEquals(BenchCommandsTest.help(), help.out());
    assertEquals("", help.err());
    assertEquals(0, help.exitCode());
    assertEquals(help.out(), jar.run("--help").out());
    BenchmarksJar.Outcome own = jar.run("help", "export");
    assertEquals(own, jar.run("export", "--help"));
    assertTrue(own.out().contains("--format=FORMAT"), own.out());
    assertEquals(0, own.exitCode(), own.err());
  }

  /** Neither the JVM that starts JMH nor its forks. */
  @Test
  void aRunLoadsNoParserOfWords() throws IOException {
    jar.requireUserBackend();
    Path log = directory.resolve("classes");
    jar.startedBy("env", "JDK_JAVA_OPTIONS=-Xlog:class+load:file=" + log + "-%p");
    List<String> args = new ArrayList<>(List.of("NilCall.c"));
    args.addAll(BenchmarksJar.SHORT);
    BenchmarksJar.Outcome run = jar.run(args);
    assertEquals(0, run.exitCode(), run.err());
    List<String> logs = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(one -> one.toString().startsWith(log + "-")).toList()) {
        logs.add(Files.readString(file));
      }
    }
    assertTrue(logs.stream().anyMatch(text -> text.contains("org.mitosis.cli.BenchmarkRun ")));
    assertTrue(logs.stream().anyMatch(text -> text.contains("org.openjdk.jmh.runner.ForkedMain ")));
    assertTrue(logs.stream().noneMatch(text -> text.contains(" picocli.")));
  }

  @Test
  void snapshotsAndProgramsAreListed() throws IOException {
    jar.property("mitosis.backend", "user");
    BenchmarksJar.Outcome none = jar.run("snapshots");
    assertEquals("there are no snapshots on this machine\n", none.out(), none.err());
    assertEquals(2, jar.run("snapshots", "all").exitCode());
    BenchmarksJar.Outcome programs = jar.run("programs");
    Path folder = Path.of(programs.out().strip());
    for (String name : List.of("mitosis-prepare", "libmitosis-preload.so", "mitosisd")) {
      assertTrue(Files.isExecutable(folder.resolve(name)), programs.out() + programs.err());
    }
  }

  @Test
  void theVersionIsTheBuilds() throws IOException {
    BenchmarksJar.Outcome version = jar.run("--version");
    assertTrue(
        version.out().matches("mitosis [0-9].* \\(commit .*, JMH 1\\..*\\)\\n"), version.out());
    assertEquals(0, version.exitCode());
  }

  @Test
  void theDoctorTellsOfEachBackend() throws IOException {
    jar.property("mitosis.device", directory.resolve("missing").toString());
    BenchmarksJar.Outcome doctor = jar.run("doctor");
    assertTrue(doctor.out().contains("\nbackend kernel: not usable\n"), doctor.out());
    assertTrue(doctor.out().contains("\nbackend user: "), doctor.out());
    assertTrue(doctor.out().contains("  runtime  " + jar.runtimeDirectory()), doctor.out());
    assertTrue(doctor.out().contains("\nthis machine\n"), doctor.out());
    assertEquals(doctor.out().contains("backend user: ready") ? 0 : 3, doctor.exitCode());
  }

  @Test
  void aContainersFilterOfSystemCallsIsNamedBeforeARun() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "needs /usr/bin/python3");
    jar.requireUserBackend();
    jar.startedBy("/usr/bin/python3", "-c", WITHOUT_USERFAULTFD);
    String remedy = "--cap-add SYS_PTRACE --security-opt seccomp=unconfined";
    BenchmarksJar.Outcome doctor = jar.run("doctor");
    assertTrue(
        doctor.out().contains("uffd     userfaultfd: refused by a filter of system calls"),
        doctor.out() + doctor.err());
    assertTrue(doctor.out().contains(remedy), doctor.out());
    BenchmarksJar.Outcome run = jar.run("ForkResume", "-p", "memorySize=1m");
    assertTrue(run.err().contains(remedy), run.err());
    assertEquals(3, run.exitCode());
    assertEquals("", run.out());
  }

  /** As Docker starts a container with what compose.yaml adds, and with nothing added. */
  @Test
  void theRightsOfTheComposeFileAreEnough() throws IOException {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/setpriv"))
            && Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
        "needs root and setpriv, to give up capabilities");
    jar.requireUserBackend();
    assumeTrue(UserfaultfdRight.read().allowed(), "needs the right to use userfaultfd");
    String compose = Files.readString(Path.of("../compose.yaml"));
    Matcher added = Pattern.compile("cap_add: \\[(.*)]").matcher(compose);
    assertTrue(added.find(), compose);
    String all = "";
    for (String name : added.group(1).split(", ")) {
      all += ",+" + name.toLowerCase(Locale.ROOT);
    }
    BenchmarksJar bare = new BenchmarksJar(directory.resolve("b"));
    bare.startedBy("setpriv", "--inh-caps=-all", "--bounding-set", DOCKER);
    String without = bare.run("doctor").out();
    assertTrue(without.contains("userfaultfd: not allowed to this user"), without);
    jar.startedBy("setpriv", "--inh-caps=-all", "--bounding-set", DOCKER + all);
    String with = jar.run("doctor").out();
    assertTrue(with.contains("userfaultfd: allowed to this user"), with);
    assertTrue(with.contains("lean containers: namespaces uts,ipc,mnt,pid"), with);
  }
}
