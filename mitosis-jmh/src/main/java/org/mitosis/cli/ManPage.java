// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.mitosis.result.BuildInfo;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/**
 * The command {@code man-page}, by which a build makes the page: the help texts, in man(7).
 *
 * <p>picocli's own generator writes AsciiDoc, for which a build would need asciidoctor.
 */
@Command(
    name = "man-page",
    header = "A manual page of all commands, in man(7).",
    description = "To read it: ./bench man-page | man -l -")
final class ManPage implements BenchCommand {
  /** The program as it is installed. */
  static final String NAME = "mitosis-bench";

  @Spec private CommandSpec spec;

  private final PrintStream out;

  ManPage(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    CommandSpec all = spec.root();
    out.printf(".TH MITOSIS-BENCH 1 \"\" \"mitosis %s\"%n", BuildInfo.current().version());
    section("NAME");
    out.println(NAME + " \\- benchmarks of remote fork, and what reads their results");
    section("SYNOPSIS");
    out.println(
        ".B " + NAME + "\n[\\fI-Dmitosis.*\\fR] [\\fIJMH OPTIONS\\fR] [\\fIREGEXP\\fR]...\n.br");
    out.println(".B " + NAME + "\n[\\fI-Dmitosis.*\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]");
    section("DESCRIPTION");
    paragraphs(all.usageMessage().description());
    section("OPTIONS");
    arguments(all);
    section("COMMANDS");
    all.subcommands().values().stream().map(line -> line.getCommandSpec()).forEach(this::command);
    section("NOTES");
    out.println(".nf");
    for (String line : all.usageMessage().footer()) {
      out.println(escaped(line));
    }
    out.println(".fi");
    section("EXIT STATUS");
    for (Map.Entry<String, String> code : all.usageMessage().exitCodeList().entrySet()) {
      out.println(".TP\n.B " + code.getKey() + "\n" + escaped(code.getValue()));
    }
    return ExitCode.DONE;
  }

  private void command(CommandSpec command) {
    out.println(".SS " + escaped(command.name()));
    paragraphs(command.usageMessage().header());
    paragraphs(command.usageMessage().description());
    arguments(command);
  }

  private void section(String name) {
    out.println(".SH " + name);
  }

  private void paragraphs(String[] texts) {
    for (String text : texts) {
      for (String paragraph : formatted(text).split("\n\n")) {
        out.println(".PP\n" + escaped(paragraph.strip()));
      }
    }
  }

  private void arguments(CommandSpec command) {
    for (PositionalParamSpec argument : command.positionalParameters()) {
      argument("\\fI" + escaped(argument.paramLabel()) + "\\fR", argument);
    }
    for (OptionSpec option : command.options()) {
      String names = "\\fB" + escaped(String.join("\\fR, \\fB", option.names())) + "\\fR";
      String value = "=\\fI" + escaped(option.paramLabel()) + "\\fR";
      int most = option.arity().max();
      boolean optional = option.arity().min() == 0;
      argument(names + (most == 0 ? "" : optional ? "[" + value + "]" : value), option);
    }
  }

  private void argument(String label, ArgSpec argument) {
    out.println(".TP\n" + label);
    for (String text : argument.description()) {
      out.println(escaped(formatted(text)) + "\n.br");
    }
  }

  /** As picocli does with all texts: {@code %%} is a percent sign. */
  private static String formatted(String text) {
    return String.format(text);
  }

  /** Without what roff takes for its own; its fonts stay. */
  private static String escaped(String text) {
    String plain = text.replaceAll("\\\\(?!f[BIR])", "\\\\e").replace("-", "\\-");
    return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
  }
}
