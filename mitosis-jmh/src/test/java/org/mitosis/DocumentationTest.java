// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Whatever a user can see of both modules is documented. */
class DocumentationTest {
  private static final List<Path> MODULES =
      List.of(Path.of("src/main/java"), Path.of("../mitosis-jna/src/main/java"));

  @Test
  void everyPublicTypeAndMethodHasASentence() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> without = new ArrayList<>();
    int[] seen = {0};
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, List.of(), null, files.getJavaFileObjectsFromPaths(sources()));
      DocTrees documents = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new TreePathScanner<Void, Boolean>() {
          @Override
          public Void visitClass(ClassTree type, Boolean outerVisible) {
            boolean visible =
                outerVisible && isVisible(type.getModifiers(), type, getCurrentPath());
            check(visible, type.getSimpleName().toString());
            return super.visitClass(type, visible);
          }

          @Override
          public Void visitMethod(MethodTree method, Boolean outerVisible) {
            boolean overrides =
                method.getModifiers().getAnnotations().stream()
                    .anyMatch(one -> one.toString().contains("Override"));
            check(
                outerVisible
                    && !overrides
                    // A thin mapping of what a C header documents.
                    && !method.getModifiers().getFlags().contains(Modifier.NATIVE)
                    && isVisible(method.getModifiers(), method, getCurrentPath()),
                method.getName().toString());
            return null;
          }

          private void check(boolean visible, String name) {
            if (visible) {
              seen[0]++;
              if (documents.getDocComment(getCurrentPath()) == null) {
                without.add(unit.getSourceFile().getName() + ": " + name);
              }
            }
          }
        }.scan(unit, true);
      }
    }
    assertEquals(List.of(), without);
    assertTrue(seen[0] > 500, seen[0] + " are suspiciously few");
  }

  @Test
  void everyPackageSaysWhatItIsFor() throws IOException {
    List<Path> without =
        sources().stream()
            .map(Path::getParent)
            .distinct()
            .filter(folder -> !Files.exists(folder.resolve("package-info.java")))
            .toList();
    assertEquals(List.of(), without);
  }

  /** Who opens the pages of the library finds each of its packages from what is to be done. */
  @Test
  void theOverviewLeadsToEveryPackageOfTheLibrary() throws IOException {
    String overview =
        Files.readString(Path.of("src/main/javadoc/overview.html")).replaceAll("\\s+", " ");
    Matcher harness =
        Pattern.compile("<harness.packages>(.*)</harness.packages>")
            .matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(harness.find(), "pom.xml names no packages of the harness");
    List<String> ofHarness = List.of(harness.group(1).split(":"));
    List<String> without =
        sources().stream()
            .filter(file -> file.startsWith(MODULES.get(0)))
            .map(file -> MODULES.get(0).relativize(file.getParent()).toString().replace('/', '.'))
            .distinct()
            .filter(name -> !ofHarness.contains(name))
            .filter(name -> !overview.matches(".*\\{@link " + name + "(}|[.][A-Z]).*"))
            .toList();
    assertEquals(List.of(), without);
  }

  /** Members of an interface are public without the word. */
  private static boolean isVisible(ModifiersTree modifiers, Tree tree, TreePath path) {
    boolean inInterface =
        path.getParentPath() != null
            && path.getParentPath().getLeaf().getKind() == Tree.Kind.INTERFACE
            && !modifiers.getFlags().contains(Modifier.PRIVATE);
    return inInterface
        || modifiers.getFlags().contains(Modifier.PUBLIC)
        || modifiers.getFlags().contains(Modifier.PROTECTED);
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (Path module : MODULES) {
      try (Stream<Path> files = Files.walk(module)) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .filter(file -> !file.endsWith("package-info.java"))
            .forEach(sources::add);
      }
    }
    return sources;
  }
}
