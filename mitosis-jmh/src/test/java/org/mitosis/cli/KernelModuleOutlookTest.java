// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelModuleOutlookTest {
  private static final String ALL = "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff";
  private static final String NOT_MODULES = "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb";

  private final Map<String, String> files =
      new HashMap<>(
          Map.of(
              "proc/sys/kernel/osrelease", "6.1.0-30-amd64",
              "proc/modules", "",
              "proc/self/status", ALL,
              "etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian"));

  private KernelModuleOutlook outlook() {
    return KernelModuleOutlook.read(files::get);
  }

  @Test
  void aDebianMachineInstallsTheHeadersOfItsKernel() {
    assertEquals(
        new KernelModuleOutlook(
            "",
            "apt-get install linux-headers-6.1.0-30-amd64 gcc make && make -C native-module/kernel",
            "insmod native-module/kernel/mitosis.ko machine_id=0"),
        outlook());
  }

  @Test
  void headersThatAreThereNeedNoPackage() {
    files.put("lib/modules/6.1.0-30-amd64/build/Makefile", "include ...");
    assertEquals("make -C native-module/kernel", outlook().build());
  }

  @Test
  void theFirstFamilyThatIsKnownNamesThePackages() {
    files.put("etc/os-release", "ID_LIKE=\"rhel fedora\"\nID=\"rocky\"");
    assertTrue(outlook().build().startsWith("dnf install kernel-devel-6.1.0-30-amd64 "));
    files.put("etc/os-release", "ID=other");
    assertEquals(
        "make -C native-module/kernel, with gcc, make and the headers of kernel 6.1.0-30-amd64",
        outlook().build());
  }

  @Test
  void aKernelThatTheBuildRefusesIsNamedAsSuch() {
    for (String release : new String[] {"5.10.0-9-amd64", "6.0.1", "7.4.0", "10.1"}) {
      files.put("proc/sys/kernel/osrelease", release);
      assertTrue(outlook().build().endsWith("(for kernels 6.1 to 7.3 only)"), release);
    }
    for (String release : new String[] {"6.12.117+deb13-amd64", "7.0", "7.3.4+deb13-amd64"}) {
      files.put("proc/sys/kernel/osrelease", release);
      assertTrue(outlook().build().endsWith("make -C native-module/kernel"), release);
    }
  }

  @Test
  void theBuildTakesTheSameKernels() throws IOException {
    String check;
    try (InputStream in =
        KernelModuleOutlook.class.getResourceAsStream("/kernel-module/kernel/check-release")) {
      check = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertTrue(check.contains("\nfirst=" + KernelModuleOutlook.OLDEST + "\n"), check);
    assertTrue(check.contains("\nlast=" + KernelModuleOutlook.NEWEST + "\n"), check);
  }

  @Test
  void anotherUserBecomesRootToLoadIt() {
    files.put("proc/self/status", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff");
    assertEquals("", outlook().obstacle());
    assertTrue(outlook().load().startsWith("sudo insmod "));
  }

  @Test
  void aKernelWithoutModulesCannotLoadOne() {
    files.remove("proc/modules");
    assertTrue(outlook().obstacle().contains("CONFIG_MODULES"), outlook().obstacle());
  }

  @Test
  void loadingThatWasSwitchedOffStaysOff() {
    files.put("proc/sys/kernel/modules_disabled", "1");
    assertTrue(outlook().obstacle().contains("modules_disabled=1"), outlook().obstacle());
  }

  @Test
  void secureBootIsTheCauseOfALockdown() {
    files.put("sys/kernel/security/lockdown", "none [integrity] confidentiality");
    assertTrue(outlook().obstacle().startsWith("the kernel is locked down (integrity) "));
    files.put(
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        "\u0006\0\0\0\u0001");
    assertTrue(outlook().obstacle().contains("(integrity, as Secure Boot is on)"));
    assertTrue(outlook().obstacle().endsWith("switch Secure Boot off in the firmware"));
  }

  @Test
  void noLockdownIsNoObstacle() {
    files.put("sys/kernel/security/lockdown", "[none] integrity confidentiality");
    files.put("sys/module/module/parameters/sig_enforce", "N");
    assertEquals("", outlook().obstacle());
  }

  @Test
  void signaturesMayBeEnforcedByThemselves() {
    files.put("sys/module/module/parameters/sig_enforce", "Y");
    assertTrue(outlook().obstacle().contains("module.sig_enforce"), outlook().obstacle());
  }

  @Test
  void aContainerMayNotLoadModules() {
    files.put("proc/self/status", NOT_MODULES);
    assertTrue(outlook().obstacle().contains("CAP_SYS_MODULE"), outlook().obstacle());
  }
}
