// SPDX-License-Identifier: Apache-2.0
/** What a module names that forks by Mitosis, and reads the results of benchmarks. */
module org.example.figures {
  requires org.mitosis;
  requires org.mitosis.jmh;
}
