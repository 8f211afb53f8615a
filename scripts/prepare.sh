# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by ./bench and ./test: finds a JDK and the build tools, installs missing packages, builds.
# Sourced after `root` (the checkout) is set.

oldest_jdk=17
lock_deadline_s=600
jar=${root:?}/mitosis-jmh/target/benchmarks.jar

# Without it, Java takes a path with other letters for one that does not exist, and prints ? for µ.
[[ $(locale charmap 2>/dev/null) == UTF-8 ]] || export LC_ALL=C.UTF-8

# shellcheck source=scripts/messages.sh
source "$root/scripts/messages.sh"

# Prints "MAJOR HOME" of the JDK behind a java command; nothing if it is not a JDK or does not run.
# Asks java itself: the command on PATH may be a version manager's script.
jdk_of() {
  local settings home major
  settings=$("$1" -XshowSettings:properties -version 2>&1) || return 0
  home=$(sed -n 's/^ *java\.home = //p' <<<"$settings")
  major=$(sed -n 's/^ *java\.specification\.version = //p' <<<"$settings")
  if [[ $major == +([0-9]) && -x $home/bin/javac ]]; then
    printf '%s %s\n' "$major" "$home"
  fi
}

# Prints "MAJOR HOME" of the first of the given java commands that belongs to a JDK of at least this major version.
first_jdk() {
  local at_least=$1 java jdk
  shift
  for java in "$@"; do
    jdk=$(jdk_of "$java")
    if [[ -n $jdk ]] && ((${jdk%% *} >= at_least)); then
      printf '%s\n' "$jdk"
      return
    fi
  done
}

# Prints the home of a Java of at least this release, be it a JDK or not; nothing if there is none.
java_home() {
  local java settings major
  for java in ${JAVA_HOME:+"$JAVA_HOME/bin/java"} java /usr/lib/jvm/*/bin/java; do
    settings=$("$java" -XshowSettings:properties -version 2>&1) || continue
    major=$(sed -n 's/^ *java\.specification\.version = //p' <<<"$settings")
    if [[ $major == +([0-9]) ]] && ((major >= oldest_jdk)); then
      sed -n 's/^ *java\.home = //p' <<<"$settings"
      return
    fi
  done
}

# Sets and exports JAVA_HOME, if this machine has a suitable JDK.
use_jdk() {
  local jdk
  jdk=$(first_jdk "$oldest_jdk" ${JAVA_HOME:+"$JAVA_HOME/bin/java"} java /usr/lib/jvm/*/bin/java)
  [[ -n $jdk ]] || return 1
  if [[ -n ${JAVA_HOME-} && ! $JAVA_HOME -ef ${jdk#* } ]]; then
    say "JAVA_HOME=$JAVA_HOME is no JDK $oldest_jdk or newer; using ${jdk#* }"
  fi
  export JAVA_HOME=${jdk#* }
}

# Prints the major version of the Java in use; 0 if it does not say.
java_major() { { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$JAVA_HOME/release" 2>/dev/null || true; } | grep . || echo 0; }

# The package of the oldest suitable JDK, or of the newest one if the distribution has dropped that.
jdk_package() {
  local known
  known=$(apt-cache search --names-only '^openjdk-[0-9]+-jdk-headless$' 2>/dev/null | cut -d' ' -f1 | sort -V)
  if [[ -z $known || $known == *openjdk-$oldest_jdk-jdk-headless* ]]; then
    echo "openjdk-$oldest_jdk-jdk-headless"
  else
    tail -n 1 <<<"$known"
  fi
}

# Prints the packages of functions: "light" are those that are neither optional nor heavy, "all" is all of them, else
# names with commas between. functions.json has one line for each.
function_packages() {
  local lines=$root/fork-functions/functions.json pattern
  case $1 in
    light) pattern='"heavy": false, "optional": false' ;;
    all) pattern='"packages"' ;;
    *) pattern="^ *\"\(${1//,/\\|}\)\":" ;;
  esac
  grep -e "$pattern" "$lines" | sed 's/.*"packages": \[\([^]]*\)\].*/\1/' | tr -d '",' | tr ' ' '\n' | sort -u | sed '/^$/d'
}

# Ends if one of the functions whose packages are asked for does not exist.
require_functions() {
  local name
  [[ $1 != @(light|all) ]] || return 0
  for name in ${1//,/ }; do
    grep -qF "\"$name\":" "$root/fork-functions/functions.json" ||
      reject "-Dmitosis.functions: there is no function '$name'; './bench functions' lists all"
  done
}

# Prints those of the given packages that are not installed.
not_installed() {
  local package
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || echo "$package"
  done
}
# shellcheck disable=SC2046 # names without blanks
missing_function_packages() { not_installed python3 $(function_packages "$1"); }

# install_optional REASON PACKAGE...: installs them if possible; otherwise the tests that need them are skipped.
install_optional() {
  local reason=$1 optional
  shift
  optional=$(not_installed "$@")
  [[ -e /etc/debian_version && $optional ]] || return 0
  if [[ ${no_install-} ]]; then
    say "going on without ${optional//$'\n'/, } ($reason), as --no-install was given"
    return 0
  fi
  (optional_reason=$reason install_missing) || say "going on without ${optional//$'\n'/, }"
}
# shellcheck disable=SC2046 # names without blanks
install_functions() { install_optional "a function needs it" python3 $(function_packages "$1"); }

# Installs the services that scripts/namespace-cluster starts in its own namespaces. They must not run on this machine
# itself: not when they are installed, and not after the next boot.
install_cluster() {
  local policy=/usr/sbin/policy-rc.d made='' missing package
  missing=$(not_installed openssh-server iproute2 slurmctld slurmd slurm-client munge)
  ((EUID == 0)) && [[ $missing ]] || return 0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    made=1
  fi
  # shellcheck disable=SC2086 # names without blanks
  install_optional "a cluster of network namespaces needs it" $missing
  [[ ! $made ]] || rm -f "$policy"
  for package in ${missing//openssh-server/ssh}; do
    ! command -v systemctl >/dev/null || systemctl disable "$package" >/dev/null 2>&1 || true
  done
}

# Sets packages to the missing packages, and reasons to the uses of each. mvnw needs no download tool: the JDK serves as one.
find_missing() {
  packages=() reasons=()
  need() {
    packages+=("$1")
    reasons+=("$1 ($2)")
  }
  use_jdk || need "$(jdk_package)" "no JDK $oldest_jdk or newer"
  command -v "${CC:-gcc}" >/dev/null || need gcc "no C compiler"
  command -v make >/dev/null || need make "no make"
  [[ -e /usr/include/stdio.h ]] || "${CC:-gcc}" -E -include stdio.h -x c /dev/null >/dev/null 2>&1 ||
    need libc6-dev "no headers of the C library"
  [[ -e /etc/ssl/certs/ca-certificates.crt || ! -e /etc/debian_version ]] ||
    need ca-certificates "Maven downloads over https"
  local package
  for package in ${optional-}; do
    need "$package" "${optional_reason-}"
  done
}

apt_knows() {
  local package
  for package in "$@"; do
    [[ -n $(apt-cache madison "$package" 2>/dev/null) ]] || return 1
  done
}

# progress LOG SCRIPT COMMAND...: appends the command's output to the log, and says of it what a sed script prints. Not by
# a pipe, which a daemon that the command has started would hold open.
progress() {
  local log=$1 script=$2 watcher code=0
  shift 2
  tail -n 0 -f --pid=$$ "$log" 2>/dev/null > >(sed -un "$script" | while read -r line; do say "$line"; done) 9>&- &
  watcher=$!
  "$@" >>"$log" 2>&1 </dev/null 9>&- || code=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  return "$code"
}

# Makes the machine able to build, or ends with instructions.
install_missing() {
  local packages reasons as_root=() log joined
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    lack "this is $(uname -sm): the native parts build and run on Linux x86_64 only, use such a machine"
  find_missing
  ((${#packages[@]})) || return 0
  joined=$(printf ', %s' "${reasons[@]}")
  say "missing: ${joined:2}"
  [[ ! ${no_install-} ]] ||
    lack "not installed, as --no-install was given; have root run 'apt-get update && apt-get install -y --no-install-recommends ${packages[*]}', or copy benchmarks.jar from a machine that has built it: a Java $oldest_jdk runtime is enough to run it"
  command -v apt-get >/dev/null ||
    lack "this is not Debian or Ubuntu: install a JDK $oldest_jdk or newer, gcc, make and the C library's headers and static library by hand, then try again"

  if ((EUID != 0)); then
    as_root=(sudo)
    # Without a terminal sudo cannot ask for the password.
    if ! { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }; }; }; then
      lack "cannot install packages as $(id -un) without sudo: have root run 'apt-get update && apt-get install -y --no-install-recommends ${packages[*]}', then try again; or copy benchmarks.jar from a machine that has built it: a Java $oldest_jdk runtime is enough to run it"
    fi
  fi
  log=$(mktemp)
  apt() {
    # sudo drops the proxies of the environment.
    progress "$log" 's/^Fetched \(.*\)/downloaded \1/p' "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive ${http_proxy:+"http_proxy=$http_proxy"} \
      ${https_proxy:+"https_proxy=$https_proxy"} ${no_proxy:+"no_proxy=$no_proxy"} apt-get -q -y --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "$@"
  }
  if ! apt_knows "${packages[@]}"; then
    say "updating apt's package lists"
    apt update || true
    find_missing
  fi
  say "installing ${packages[*]} (a minute or two)"
  # Old lists name files that the mirror no longer has: try again with new lists.
  if ! apt install "${packages[@]}" && ! { apt update && apt install "${packages[@]}"; }; then
    cat "$log" >&2
    rm -f "$log"
    lack "apt could not install ${packages[*]}: see above; install them by hand, then try again"
  fi
  rm -f "$log"
  use_jdk || lack "installed ${packages[*]}, but found no JDK $oldest_jdk or newer: set JAVA_HOME to one"
}

# Descriptor 9 is the lock of this checkout's build: exclusive for builds and tests, shared for runs of
# benchmarks.jar, which must not change during a run. Other commands are started with 9>&-, so that a daemon left behind
# does not hold the lock.
open_build_lock() {
  mkdir -p "$root/target" && exec 9<>"$root/target/build.lock"
}
build_lock_holder() { printf 'process %s, which builds, tests or measures here' "$(<"$root/target/build.lock")"; }
lock_build() {
  open_build_lock || lack "cannot write to $root/target: make it writable (sudo chown -R $(id -un) '$root')"
  if ! flock -n 9; then
    say "waiting up to $lock_deadline_s s for $(build_lock_holder)"
    flock -w "$lock_deadline_s" 9 ||
      lack "waited $lock_deadline_s s for $(build_lock_holder): let it end, or end it, then try again"
  fi
  printf '%s\n' "$$" >"$root/target/build.lock"
}
# Benchmarks may start at the same time (JMH has its own lock for that).
share_build() {
  if flock -s -n 9; then
    printf '%s\n' "$$" >"$root/target/build.lock"
  else
    say "warning: benchmarks.jar may change under this run, and times will scatter, because of $(build_lock_holder)"
  fi
}

# Prints Java's options for the proxies of the environment, which Java does not read: http_proxy, https_proxy (in lower
# or upper case, as http://[USER:PASSWORD@]HOST[:PORT]) and no_proxy.
proxy_options() {
  local scheme upper value except=${no_proxy-${NO_PROXY-}} options=()
  for scheme in http https; do
    upper=${scheme^^}_PROXY value=${scheme}_proxy
    value=${!value-${!upper-}}
    [[ $value =~ ^([a-z]+://)?([^@/]*@)?([^:/@]+)(:([0-9]+))?/?$ ]] || continue
    options+=("-D$scheme.proxyHost=${BASH_REMATCH[3]}" "-D$scheme.proxyPort=${BASH_REMATCH[5]:-80}")
  done
  ((${#options[@]})) || return 0
  # Maven's own client looks at them only if told.
  options+=(-Daether.connector.http.useSystemProperties=true -Daether.transport.http.useSystemProperties=true)
  if [[ $except ]]; then
    except=$(sed -E 's/[[:space:]]+//g; s/(^|,)\./\1*./g; s/,+/|/g' <<<"$except")
    options+=("-Dhttp.nonProxyHosts='$except'")
  fi
  printf '%s' "${options[*]}"
}

# Prints what build.properties says of the commit, as options of Maven; nothing outside a git checkout. Maven's plugin
# takes as much of a processor for it as the compiler for a module.
commit_options() {
  local commit changes
  commit=$(git -C "$root" rev-parse HEAD 2>/dev/null) && changes=$(git -C "$root" status --porcelain 2>/dev/null) || return 0
  printf ' -Dmaven.gitcommitid.skip=true -Dgit.commit.id=%s -Dgit.dirty=%s' "$commit" "$([[ $changes ]] && echo true || echo false)"
}

# Runs Maven with these arguments in the checkout, through a proxy if there is one. Its downloader and Maven are Java.
run_mvnw() {
  local options
  options=$(proxy_options)
  (cd "$root" && JDK_JAVA_OPTIONS="${JDK_JAVA_OPTIONS-}${options:+ $options}" ./mvnw "$@")
}

# Runs Maven with these arguments for a build that a user waits for: without what only other builds need, as are tests,
# which are two thirds of what is compiled, checks of the POMs, and small jars that end in the large one. The optimising
# JIT compiler takes more of a build than it gives; types and variables for a debugger take a quarter of the C compiler's
# time. Objects without these lie apart, so that make for tests finds its own.
brief_mvnw() {
  MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS-}" MAKEFLAGS="-j$(nproc)" \
    MITOSIS_OBJECTS=target/obj-bench CFLAGS="${CFLAGS--O2 -g1}" run_mvnw "$@"
}

# Whether benchmarks.jar is missing or older than its sources: all files and folders below the modules, except build
# output and tests. A removed file changes only its folder. The modules' own folders do not count, as target/ changes them.
is_stale() {
  local pom made_from=("$root/pom.xml" "$root/.mvn" "$root/results/reference" "$root/fork-functions")
  for pom in "$root"/*/pom.xml; do
    made_from+=("${pom%/*}"/*)
  done
  [[ ! -e $jar || -n $(find "${made_from[@]}" \( -name target -o -path '*/src/test' -o -path '*/native-module/tests' \) -prune \
    -o -newer "$jar" -print -quit) ]]
}

# Whether there is all that a build needs. In a subshell: the JDK of a build need not be the Java of a report.
can_build() (
  find_missing 2>/dev/null
  ((!${#packages[@]}))
)

# For a command that measures nothing: finds a Java, and takes benchmarks.jar as it is if it cannot be built here.
# Returns 1 if it has to be built.
use_as_is() {
  local home
  [[ -e $jar ]] || return 1
  if is_stale; then
    ! can_build || return 1
    say "the sources are newer than benchmarks.jar, and there is nothing to build it with: running it as it is"
  fi
  home=$(java_home)
  [[ $home ]] || return 1
  export JAVA_HOME=$home
}

# Makes benchmarks.jar up to date, and holds the lock shared.
build() {
  local log=$root/target/build.log started=$root/target/build.started
  if [[ ! -w $root || (-e $root/target && ! -w $root/target) || (-e ${jar%/*} && ! -w ${jar%/*}) ]]; then
    [[ -e $jar ]] || lack "cannot build in $root: not writable for $(id -un); build it once as a user who may write there"
    ! is_stale || say "the sources are newer than benchmarks.jar, but $root is not writable for $(id -un): running it as it is"
    return
  fi
  if is_stale; then
    install_missing
    lock_build
  else
    open_build_lock
  fi
  # Another process may have built it in the meantime.
  if is_stale; then
    say "building benchmarks.jar, about a minute the first time (log: $log)"
    touch "$started"
    : >"$log"
    trap 'exit 130' INT
    # shellcheck disable=SC2046 # options without blanks
    if ! progress "$log" 's/^\[INFO\] Building \(.*\) [0-9][^ ]* *\(\[[0-9/]*\]\)$/\2 \1/p' \
      brief_mvnw -B -ntp -Pbench -Dnative.goal=programs $(commit_options) package; then
      # The error messages without Maven's stack traces.
      grep -vE '^\[INFO\]|^[[:space:]]+at |^\[ERROR\] *$|^\[ERROR\] (To see|Re-run|For more|\[Help|After correcting|  mvn)' "$log" | tail -n 40 >&2
      die "the build failed: see above, the whole log is $log"
    fi
    trap - INT
    # Files edited during the build must be newer than the jar.
    touch -r "$started" "$jar"
  fi
  share_build
}
