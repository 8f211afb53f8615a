# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What scripts say, and how they end: with the exit codes that ./bench help lists (ExitCode.java).
# All messages go to stderr: stdout belongs to results.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Something was not done.
die() {
  say "$*"
  exit 1
}

# Nothing was done, because of the command line.
reject() {
  say "$*"
  exit 2
}

# Nothing was done, because of this machine.
lack() {
  say "$*"
  exit 3
}
