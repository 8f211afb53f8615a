# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs the tests of the Java modules for ./test, whose function `record` keeps the lines.

maven_deadline_s=1800

# Tests and checks the Java modules of the checkout $1 with the JDK at $2, called $3; further arguments are Maven's.
# Maven goes on behind a failed test, which its report tells: else it would leave out the modules that need this one. What
# has no report (a check, a test JVM that ended or hung) counts as a failure of the build.
run_maven() {
  local checkout=$1 jdk=$2 name=$3 code=0 log
  shift 3
  log=$(mktemp)
  rm -rf "$checkout"/*/target/{surefire,failsafe}-reports
  (cd "$checkout" && JAVA_HOME=$jdk timeout --foreground --kill-after=30 "$maven_deadline_s" \
    ./mvnw -B -ntp --fail-at-end -Dmaven.test.failure.ignore=true "$@" verify) </dev/null 9>&- 2>&1 | tee "$log" 9>&- || code=$?
  if ((code == 124)); then
    echo "FAIL build with $name: not done after $maven_deadline_s s" | record maven
  elif ((code)); then
    echo "FAIL build with $name: Maven ended with $code, see above" | record maven
  elif grep -qE 'There was a timeout|The forked VM terminated|There was an error in the forked process|ExecutionException' "$log"; then
    echo "FAIL build with $name: a JVM of the tests ended or hung, see above" | record maven
  fi
  rm -f "$log"
}
