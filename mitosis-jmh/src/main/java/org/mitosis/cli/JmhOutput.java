// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Defaults;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.UnCloseablePrintStream;
import org.openjdk.jmh.util.Utils;

/** Where a run's options have JMH write, and what is written there beside its own words. */
final class JmhOutput {
  private JmhOutput() {}

  /**
   * The output format that JMH's Runner would create, which keeps what it prints.
   *
   * @param log is appended to, as a sweep continues; has the causes of failures also where the
   *     options ask for silence
   */
  static OutputFormat format(Options options, Path log) throws IOException {
    PrintStream stream;
    try {
      stream =
          options.getOutput().hasValue()
              ? new PrintStream(options.getOutput().get(), Utils.guessConsoleEncoding())
              : new UnCloseablePrintStream(System.out, Utils.guessConsoleEncoding());
    } catch (FileNotFoundException e) {
      throw new MissingPrerequisite(
          "the output file of -o cannot be written: " + e.getMessage() + "; name another");
    }
    VerboseMode verbosity = options.verbosity().orElse(Defaults.VERBOSITY);
    PrintStream kept = new UnCloseablePrintStream(new FileOutputStream(log.toFile(), true), UTF_8);
    return both(
        OutputFormatFactory.createFormatInstance(stream, verbosity),
        OutputFormatFactory.createFormatInstance(
            kept, verbosity == VerboseMode.SILENT ? VerboseMode.NORMAL : verbosity));
  }

  /** All methods of the format return nothing. */
  private static OutputFormat both(OutputFormat first, OutputFormat second) {
    return (OutputFormat)
        Proxy.newProxyInstance(
            OutputFormat.class.getClassLoader(),
            new Class<?>[] {OutputFormat.class},
            (proxy, method, arguments) -> {
              try {
                method.invoke(first, arguments);
                return method.invoke(second, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Checks that JMH can write its own result file, if it is asked for: it tells with a stack. */
  static void requireResultFile(Options options) {
    if (!options.getResult().hasValue() && !options.getResultFormat().hasValue()) {
      return;
    }
    ResultFormatType format = options.getResultFormat().orElse(Defaults.RESULT_FORMAT);
    Path file =
        Path.of(
                options
                    .getResult()
                    .orElse(
                        Defaults.RESULT_FILE_PREFIX
                            + "."
                            + format.toString().toLowerCase(Locale.ROOT)))
            .toAbsolutePath();
    Path folder = file.getParent();
    boolean writable =
        Files.exists(file)
            ? Files.isRegularFile(file) && Files.isWritable(file)
            : folder != null && Files.isDirectory(folder) && Files.isWritable(folder);
    if (!writable) {
      throw new MissingPrerequisite(
          "the result file of -rff cannot be written: " + file + "; name another");
    }
  }

  /**
   * Prints the table to the destination of JMH's output.
   *
   * @param out its destination if the options name none
   */
  static void print(String table, Options options, PrintStream out) throws IOException {
    if (options.verbosity().orElse(Defaults.VERBOSITY) == VerboseMode.SILENT) {
      return;
    }
    if (options.getOutput().hasValue()) {
      try (FileOutputStream file = new FileOutputStream(options.getOutput().get(), true)) {
        file.write(table.getBytes(Utils.guessConsoleEncoding()));
      }
    } else {
      out.print(table);
    }
  }
}
