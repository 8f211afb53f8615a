// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.mitosis.setting.ExitCode;

class ListCommandTest {
  private static final Path SOURCES = Path.of("src/main/java/org/mitosis/benchmark");
  private static final Path FILE =
      Path.of("src/main/resources/org/mitosis/cli", ListCommand.DESCRIPTIONS);

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void descriptionsAreTheFirstSentencesOfTheJavadoc() throws IOException {
    Map<String, String> sentences = sentences();
    String file =
        "# SPDX-License-Identifier: Apache-2.0\n"
            + "# First sentences of the Javadoc of the benchmarks; ListCommandTest compares them.\n"
            + sentences.entrySet().stream()
                .map(one -> one.getKey() + " = " + one.getValue() + "\n")
                .collect(Collectors.joining());
    if (Boolean.getBoolean("mitosis.test.write")) {
      Files.writeString(FILE, file);
    }
    assertEquals(
        file, Files.readString(FILE), "run this test with -Dmitosis.test.write=true to write it");
    sentences.forEach((name, text) -> assertTrue(text.endsWith("."), name + ": " + text));
  }

  @Test
  void everyBenchmarkHasOne() throws IOException {
    for (JsonNode one : listed()) {
      String benchmark = one.get("benchmark").asText();
      assertTrue(one.get("description").asText().length() > 10, benchmark);
      assertTrue(one.get("measures").asText().length() > 10, benchmark);
    }
  }

  @Test
  void aLineSaysWhatABenchmarkMeasuresAndItsParameters() {
    assertEquals(ExitCode.DONE, run("ForkPrepare.work"));
    List<String> lines = said(out).lines().toList();
    assertTrue(lines.get(0).startsWith("ForkPrepare: "), lines.get(0));
    assertTrue(
        lines.get(1).startsWith("  ForkPrepare.workingSet  A C program prepares itself"),
        lines.get(1));
    assertEquals("      memorySize=1m,4m,8m,16m,32m,64m,128m,256m,512m,1g", lines.get(2));
    assertEquals(3, lines.size());
  }

  @Test
  void jsonHasModesAndParameters() throws IOException {
    JsonNode one = listed("ForkPrepare.threads").get(0);
    assertEquals("org.mitosis.benchmark.ForkPrepare.threads", one.get("benchmark").asText());
    assertEquals("avgt", one.get("modes").get(0).asText());
    assertEquals("idle", one.get("parameters").get("threadWork").get(0).asText());
    assertEquals("0", one.get("parameters").get("files").get(0).asText());
  }

  @Test
  void aNameThatIsNoneIsRefused() {
    assertEquals(ExitCode.WRONG_ARGUMENTS, run("Forkprepare"));
    assertTrue(said(err).contains("did you mean 'ForkPrepare'?"), said(err));
    assertEquals("", said(out));
  }

  @Test
  void aWrongExpressionIsRefused() {
    assertEquals(ExitCode.WRONG_ARGUMENTS, run("["));
    assertEquals(1, said(err).lines().count(), said(err));
  }

  private JsonNode listed(String... patterns) throws IOException {
    String[] args = Stream.concat(Stream.of("--json"), Stream.of(patterns)).toArray(String[]::new);
    assertEquals(ExitCode.DONE, run(args));
    return new ObjectMapper().readTree(said(out));
  }

  private ExitCode run(String... args) {
    PrintStream output = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    return BenchCommands.run(new ListCommand(output, errors), output, errors, args);
  }

  private static String said(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }

  /** By class, and by class and method, of what has benchmarks. */
  private static Map<String, String> sentences() throws IOException {
    Map<String, String> sentences = new TreeMap<>();
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        Stream<Path> sources = Files.list(SOURCES)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  null,
                  List.of(),
                  null,
                  files.getJavaFileObjectsFromPaths(sources.toList()));
      DocTrees documents = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new TreePathScanner<Void, String>() {
          private String ofType = "";

          @Override
          public Void visitClass(ClassTree type, String outer) {
            ofType = outer == null ? sentence(documents.getDocCommentTree(getCurrentPath())) : "";
            return outer == null ? super.visitClass(type, type.getSimpleName().toString()) : null;
          }

          @Override
          public Void visitMethod(MethodTree method, String type) {
            boolean isBenchmark =
                method.getModifiers().getAnnotations().stream()
                    .anyMatch(one -> one.getAnnotationType().toString().equals("Benchmark"));
            if (isBenchmark) {
              sentences.put(type, ofType);
              sentences.put(
                  type + "." + method.getName(),
                  sentence(documents.getDocCommentTree(getCurrentPath())));
            }
            return null;
          }
        }.scan(unit, null);
      }
    }
    return sentences;
  }

  private static String sentence(DocCommentTree comment) {
    return comment == null
        ? ""
        : comment.getFirstSentence().stream()
            .map(ListCommandTest::plain)
            .collect(Collectors.joining())
            .replaceAll("\\s+", " ")
            .strip();
  }

  private static String plain(DocTree part) {
    if (part instanceof LiteralTree literal) {
      return literal.getBody().getBody();
    }
    if (part instanceof LinkTree link) {
      return Pattern.compile("^#")
          .matcher(link.getReference().getSignature())
          .replaceFirst("")
          .replace('#', '.');
    }
    return part.toString();
  }
}
