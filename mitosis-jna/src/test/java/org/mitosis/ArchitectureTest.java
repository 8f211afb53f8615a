// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

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
  void apiKnowsNoOtherPackage() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.mitosis.*..", "com.sun.jna..")
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
  void spiKnowsOnlyTheApi() {
    noClasses()
        .that()
        .resideInAPackage("org.mitosis.spi..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.mitosis.kernel..",
            "org.mitosis.user..",
            "org.mitosis.posix..",
            "org.mitosis.nativefiles..")
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

  @Test
  void packagesAreFreeOfCycles() {
    slices().assignedFrom(PACKAGES).should().beFreeOfCycles().check(CLASSES);
  }
}
