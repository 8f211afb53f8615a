// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may know whom in this module. A package that does not exist yet breaks no rule. */
class ArchitectureTest {
  private static final String[] BACKENDS = {
    "org.mitosis.posix..", "org.mitosis.kernel..", "org.mitosis.user..", "com.sun.jna.."
  };
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.mitosis");

  @Test
  void measuringKnowsOnlyTheApi() {
    noClasses()
        .that()
        .resideInAnyPackage("org.mitosis.benchmark..", "org.mitosis.fixture..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(BACKENDS)
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("org.mitosis.spi..")
        .because("one benchmark serves every backend")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void statisticsKnowOnlyTheirLibraries() {
    classes()
        .that()
        .resideInAPackage("org.mitosis.stats..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "org.mitosis.stats..",
            "java..",
            "org.HdrHistogram..",
            "org.apache.commons.math3..",
            "org.apache.commons.statistics..")
        .because("figures are computed from numbers, wherever they come from")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void reportsReadResultsOnly() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.report..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(BACKENDS)
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("org.openjdk.jmh..")
        .because("a report is made from the files of a run, on any machine")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void clusterRunsKnowNoBenchmarkClass() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.cluster..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.mitosis.benchmark..")
        .because("other machines are asked by the command line that users type")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void jnaStaysInTheBackends() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "org.mitosis.posix..", "org.mitosis.kernel..", "org.mitosis.user..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.sun.jna..")
        .check(CLASSES);
  }
}
