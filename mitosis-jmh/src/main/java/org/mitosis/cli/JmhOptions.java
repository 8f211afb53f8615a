// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Protection;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.result.Environment;
import org.mitosis.result.SelfTimedProfiler;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** JMH's options for a run: those of its command line, and what Mitosis adds to them. */
final class JmhOptions {
  private static final String PROPERTIES = "mitosis.";
  private static final int FIRST_JDK_WITH_NATIVE_ACCESS = 22;
  private static final int FIRST_JDK_WARNING_OF_UNSAFE = 24;

  private JmhOptions() {}

  /** The options of a run. */
  static Options of(
      CommandLineOptions commandLine,
      Selection.Sizes sizes,
      Selection.Functions functions,
      BackendChoice backend) {
    ChainedOptionsBuilder builder = withSweeps(commandLine, sizes, functions, backend);
    String profiler = SelfTimedProfiler.class.getName();
    if (commandLine.getProfilers().stream().noneMatch(given -> given.getKlass().equals(profiler))) {
      builder.addProfiler(SelfTimedProfiler.class);
    }
    // Prepended, because the benchmarks' own annotations append, and an option replaces an
    // annotation.
    List<String> arguments =
        forkArguments(
            System.getProperties(),
            commandLine.getJvmArgs().hasValue()
                ? List.of()
                : ManagementFactory.getRuntimeMXBean().getInputArguments(),
            commandLine.getJvm().hasValue() ? 0 : Runtime.version().feature());
    if (commandLine.getJvmArgsPrepend().hasValue()) {
      arguments.addAll(commandLine.getJvmArgsPrepend().get());
    }
    return builder.jvmArgsPrepend(arguments.toArray(String[]::new)).build();
  }

  /** What the command line says, without what a selection changes in it. */
  static ChainedOptionsBuilder withSweeps(
      Options options,
      Selection.Sizes sizes,
      Selection.Functions functions,
      BackendChoice backend) {
    ChainedOptionsBuilder builder = new OptionsBuilder().parent(options);
    if (backend.backend() == Backend.KERNEL
        && !options.getParameter(Protection.PROPERTY).hasValue()) {
      // The benchmarks' default is of the user backend.
      builder.param(Protection.PROPERTY, Machine.protectionOfModule().toString());
    }
    if (!sizes.override().isEmpty()) {
      builder.param(MemorySize.PROPERTY, sizes.override().toArray(String[]::new));
    }
    if (!functions.override().isEmpty()) {
      builder.param(PythonFunction.PROPERTY, functions.override().toArray(String[]::new));
    }
    functions.excluded().forEach(name -> builder.exclude("^" + Pattern.quote(name) + "$"));
    return builder;
  }

  /**
   * The arguments of a fork in addition to those of JMH.
   *
   * @param properties of this JVM
   * @param inherited arguments that JMH passes to forks by itself
   * @param javaFeature the fork's Java release; 0 if not known
   */
  static List<String> forkArguments(
      Properties properties, List<String> inherited, int javaFeature) {
    List<String> arguments = new ArrayList<>();
    for (String name : new TreeSet<>(properties.stringPropertyNames())) {
      if (name.startsWith(PROPERTIES)) {
        arguments.add("-D" + name + "=" + properties.getProperty(name));
      }
    }
    if (javaFeature >= FIRST_JDK_WITH_NATIVE_ACCESS) {
      // The manifest grants it as well, but JMH starts its forks with -cp.
      arguments.add("--enable-native-access=ALL-UNNAMED");
    }
    if (javaFeature >= FIRST_JDK_WARNING_OF_UNSAFE) {
      arguments.add(Environment.ALLOW_UNSAFE); // JMH uses it
    }
    arguments.removeAll(inherited);
    return arguments;
  }

  /** A name without a slash is looked for on PATH, by JMH. */
  static void requireJvm(Options options) {
    String jvm = options.getJvm().orElse("java");
    if (jvm.contains("/") && !Files.isExecutable(Path.of(jvm))) {
      throw new MissingPrerequisite("-jvm " + jvm + " is not a program that can be run");
    }
  }
}
