// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What there is: the commands, and what is given without one. */
@Command(
    name = "java -jar benchmarks.jar",
    customSynopsis = {
      "java [-Dmitosis.*] -jar benchmarks.jar [JMH OPTIONS] [REGEXP]...   run benchmarks",
      "  or:  java [-Dmitosis.*] -jar benchmarks.jar COMMAND [ARGUMENTS]"
    },
    description = {
      "",
      "JMH's options are listed by -h; its -l and -lp list the names that 'list' explains.",
      ""
    },
    commandListHeading = "%nCommands; 'help COMMAND' tells more of one:%n%n",
    exitCodeListHeading = "%nExit codes (the end by a signal has 128 and its number):%n%n",
    footer = {
      "",
      "Settings, as Java system properties before -jar:",
      "",
      "  -Dmitosis.backend=kernel|user  use this backend; by default kernel if its device answers, else",
      "                                 user",
      "  -Dmitosis.results=DIR          keep the results in DIR, which must be empty or missing; by",
      "                                 default results/<date>-<host>-<name>",
      "  -Dmitosis.name=NAME            the name of the run in that folder's name",
      "  -Dmitosis.native.dir=DIR       unpack the native programs into DIR; by default",
      "                                 $XDG_CACHE_HOME/mitosis or ~/.cache/mitosis",
      "  -Dmitosis.deadlineMs=MS        the deadline of each step of a helper process, in ms; by default",
      "                                 60000",
      "  -Dmitosis.keyFile=FILE         the key that machines share, for connections from Java; by default",
      "                                 $MITOSIS_KEY_FILE, ~/.config/mitosis/key or /etc/mitosis/key",
      "  -Dmitosis.criu=PATH            the CRIU of BaselineCriu; by default the first on PATH",
      "  -Dmitosis.crac.jdk=PATH        a JDK with CRaC, for FirstResult.jvmCrac; none by default",
      "  -Dmitosis.python=PATH          the Python that runs the functions, 3.9 or newer; by default",
      "                                 /usr/bin/python3",
      "  -Dmitosis.functions=all|NAMES  with ./bench: install what all functions need, or those named; by",
      "                                 default those that are not large",
      "  -Dmitosis.device=PATH          the device of the kernel backend; by default",
      "                                 /dev/mitosis-syscalls",
      "",
      "MITOSIS_RUNTIME_DIR in the environment moves the directory of the user backend's daemon.",
      "",
      "Examples:",
      "",
      "  java -jar benchmarks.jar ForkPrepare -p memorySize=1m,64m",
      "  java -Dmitosis.backend=user -jar benchmarks.jar NilCall -rf json -rff nil.json"
    })
final class Overview {
  @Option(
      names = "--pin",
      arity = "0..1",
      paramLabel = "PLAN",
      description =
          "With JMH's options: pins JVM, parent and daemon to one CPU each, and launchers with their"
              + " children to the others, which needs 4 CPUs; or all to the CPUs of PLAN, which is"
              + " jvm=CPUS/parent=CPUS/daemon=CPUS/children=CPUS, with CPUS such as 0-3,8, which may"
              + " overlap.")
  private String pin;

  @Option(names = "--version", description = "What this jar was built from.")
  private boolean version;
}
