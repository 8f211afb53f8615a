// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.junit.jupiter.api.Test;

/** Which package may depend on which in this module. */
class ArchitectureTest {
  private static final String[] BACKENDS = {
    "org.mitosis.posix..", "org.mitosis.kernel..", "org.mitosis.user..", "com.sun.jna.."
  };
  private static final String[] HARNESS = {
    "org.mitosis.benchmark..", "org.mitosis.cli..", "org.mitosis.cluster..", "org.mitosis.duel.."
  };
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.mitosis");

  /** One slice for each package; {@code slices().matching} cannot name the root package. */
  private static final SliceAssignment PACKAGES =
      new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
          return SliceIdentifier.of(javaClass.getPackageName());
        }

        @Override
        public String getDescription() {
          return "packages";
        }
      };

  @Test
  void theLibraryKnowsNothingOfTheHarness() {
    noClasses()
        .that()
        .resideOutsideOfPackages(HARNESS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(HARNESS)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("picocli..", "org.apache.commons.text..")
        .because("mitosis-jmh as a dependency has none of these: harness.files in pom.xml")
        .check(CLASSES);
  }

  @Test
  void resultsKnowNoFixture() {
    noClasses()
        .that()
        .resideInAnyPackage("org.mitosis.result..", "org.mitosis.stats..", "org.mitosis.report..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.mitosis.fixture..")
        .because("results are read without what measured them")
        .check(CLASSES);
  }

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
        .check(CLASSES);
  }

  @Test
  void functionsKnowNothingOfTheHarness() {
    classes()
        .that()
        .resideInAPackage("org.mitosis.function..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "org.mitosis.function..",
            "org.mitosis",
            "org.mitosis.posix", // fork(2)
            "java..",
            "javax..",
            "com.sun.net.httpserver..",
            "com.fasterxml.jackson..",
            "org.h2..")
        .because("a fresh start of a function must not load the harness")
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
        .check(CLASSES);
  }

  @Test
  void reportsReadResultsAndStatisticsOnly() {
    classes()
        .that()
        .resideInAPackage("org.mitosis.report..")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(
                    "org.mitosis.report..",
                    "org.mitosis.result..",
                    "org.mitosis.stats..",
                    "org.mitosis.setting..")
                .or(resideOutsideOfPackages("org.mitosis..", "org.openjdk.jmh..", "com.sun.jna..")))
        .because("a report is made from the files of a run, on any machine")
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
        .because(
            "a cluster run measures with the fixtures: its tasks name what to measure, not classes")
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

  @Test
  void packagesAreFreeOfCycles() {
    slices().assignedFrom(PACKAGES).should().beFreeOfCycles().check(CLASSES);
  }
}
