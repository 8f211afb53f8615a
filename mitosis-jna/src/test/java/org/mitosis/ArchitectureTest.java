// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may know whom in this module. */
class ArchitectureTest {
  private static final String[] API = {"org.mitosis", "org.mitosis.spi"};
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.mitosis");

  @Test
  void apiKnowsNoBackendAndNoJna() {
    noClasses()
        .that()
        .resideInAnyPackage(API)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.mitosis.kernel..", "org.mitosis.user..", "org.mitosis.posix..", "com.sun.jna..")
        .because("backends are found through ServiceLoader")
        .check(CLASSES);
  }

  @Test
  void backendsDoNotKnowEachOther() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.kernel..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.mitosis.user..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.user..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.mitosis.kernel..")
        .check(CLASSES);
  }

  @Test
  void jnaStaysInPosixAndTheBackends() {
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
  void posixKnowsNoBackend() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.posix..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.mitosis.kernel..", "org.mitosis.user..", "org.mitosis.spi..")
        .check(CLASSES);
  }
}
