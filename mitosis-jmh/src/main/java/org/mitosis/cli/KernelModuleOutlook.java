// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the kernel module is built and loaded on this machine, or why it cannot be loaded.
 *
 * @param obstacle the reason why no unsigned module can be loaded here, and what to do, without a
 *     full stop; empty if there is none
 * @param build the commands that build it, from the root of a checkout
 * @param load the command that loads it
 */
record KernelModuleOutlook(String obstacle, String build, String load) {
  /** Bit of CAP_SYS_MODULE in the capability sets of /proc/self/status. */
  private static final int CAP_SYS_MODULE = 16;

  /** The kernels that the build takes: native-module/kernel/check-release. */
  static final String OLDEST = "6.1";

  static final String NEWEST = "7.3";

  private static final Pattern RELEASE = Pattern.compile("([0-9]+)\\.([0-9]+).*");
  private static final Pattern CHOSEN = Pattern.compile("\\[(.*?)]");
  private static final String SECURE_BOOT =
      "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  private static final String SIGN =
      "sign mitosis.ko with a key that this kernel trusts (a machine owner key, by mokutil"
          + " --import; make -C native-module dkms-install signs)";

  /** The commands that install the headers of a release, by family of distributions. */
  private static final Map<String, String> INSTALL =
      Map.of(
          "debian", "apt-get install linux-headers-%s gcc make",
          "ubuntu", "apt-get install linux-headers-%s gcc make",
          "fedora", "dnf install kernel-devel-%s gcc make elfutils-libelf-devel",
          "rhel", "dnf install kernel-devel-%s gcc make elfutils-libelf-devel",
          "suse", "zypper install kernel-default-devel gcc make",
          "arch", "pacman -S linux-headers gcc make");

  /**
   * Reads the files of the machine.
   *
   * @param text the stripped text of a file, by its path below the root directory without the
   *     leading slash; null if it cannot be read
   */
  static KernelModuleOutlook read(UnaryOperator<String> text) {
    String release = text.apply("proc/sys/kernel/osrelease");
    return new KernelModuleOutlook(
        obstacle(text),
        build(text, release == null ? "$(uname -r)" : release),
        (hasCapability(text, "CapEff:") ? "" : "sudo ")
            + "insmod native-module/kernel/mitosis.ko machine_id=0");
  }

  private static String obstacle(UnaryOperator<String> text) {
    if (text.apply("proc/modules") == null) {
      return "this kernel has no support for loadable modules (CONFIG_MODULES); boot another one,"
          + " or use the user backend";
    }
    if ("1".equals(text.apply("proc/sys/kernel/modules_disabled"))) {
      return "loading was switched off until the next boot (sysctl kernel.modules_disabled=1);"
          + " reboot without that setting";
    }
    String lockdown = chosen(text.apply("sys/kernel/security/lockdown"));
    if (!lockdown.isEmpty() && !lockdown.equals("none")) {
      return "the kernel is locked down ("
          + lockdown
          + (isSecureBoot(text) ? ", as Secure Boot is on" : "")
          + ") and refuses unsigned modules; "
          + SIGN
          + (isSecureBoot(text) ? ", or switch Secure Boot off in the firmware" : "");
    }
    if ("Y".equals(text.apply("sys/module/module/parameters/sig_enforce"))) {
      return "the kernel refuses unsigned modules (module.sig_enforce); " + SIGN;
    }
    if (text.apply("proc/self/status") != null && !hasCapability(text, "CapBnd:")) {
      return "this container may not load modules (no CAP_SYS_MODULE); load it on the host,"
          + " and give the container /dev/mitosis-syscalls";
    }
    return "";
  }

  private static String build(UnaryOperator<String> text, String release) {
    String make = "make -C native-module/kernel";
    String others = isTaken(release) ? "" : " (for kernels " + OLDEST + " to " + NEWEST + " only)";
    if (text.apply("lib/modules/" + release + "/build/Makefile") != null) {
      return make + others;
    }
    for (String family : families(text)) {
      String install = INSTALL.get(family);
      if (install != null) {
        return String.format(install, release) + " && " + make + others;
      }
    }
    return make + ", with gcc, make and the headers of kernel " + release + others;
  }

  private static boolean isTaken(String release) {
    int number = number(release);
    return number == 0 || (number >= number(OLDEST) && number <= number(NEWEST));
  }

  /** Major and minor in one, to be compared; 0 of what is no release. */
  private static int number(String release) {
    Matcher version = RELEASE.matcher(release);
    return version.matches()
        ? 1000 * Integer.parseInt(version.group(1)) + Integer.parseInt(version.group(2))
        : 0;
  }

  /** The distribution and those that it is derived from, of /etc/os-release. */
  private static List<String> families(UnaryOperator<String> text) {
    String release = text.apply("etc/os-release");
    if (release == null) {
      return List.of();
    }
    return release
        .lines()
        .filter(line -> line.startsWith("ID=") || line.startsWith("ID_LIKE="))
        .sorted() // ID before ID_LIKE
        .flatMap(line -> List.of(line.replaceAll("^.*=|\"", "").split("\\s+")).stream())
        .toList();
  }

  private static boolean isSecureBoot(UnaryOperator<String> text) {
    String variable = text.apply(SECURE_BOOT);
    return variable != null && variable.endsWith("\u0001");
  }

  private static String chosen(String options) {
    Matcher chosen = CHOSEN.matcher(options == null ? "" : options);
    return chosen.find() ? chosen.group(1) : "";
  }

  private static boolean hasCapability(UnaryOperator<String> text, String set) {
    String status = text.apply("proc/self/status");
    return status != null
        && status
            .lines()
            .filter(line -> line.startsWith(set))
            .map(line -> line.substring(set.length()).strip())
            .anyMatch(bits -> (Long.parseUnsignedLong(bits, 16) >>> CAP_SYS_MODULE & 1) == 1);
  }
}
