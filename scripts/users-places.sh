# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where users start ./bench quick, for scripts/users-trial, whose functions it uses: fresh trees of Debian.

# The words by which scripts/users-trial --places=WORD,... chooses, in the order in which all are tried.
place_words=(debian-12 user path container dockerfile debian-13)

# place WORD NAME OPTION... COMMAND: the command leaves a report of ./bench quick in its folder.
place() {
  local word=$1 name=$2 started=$SECONDS log code=0
  shift 2
  [[ ,$chosen, == *,"$word",* ]] || return 0
  ((EUID == 0)) || skip "needs root, to make and enter a tree of Debian"
  command -v debootstrap >/dev/null || skip "needs debootstrap (apt-get install debootstrap)"
  # Outlives the trial if the place fails.
  log=$(mktemp --tmpdir "users-trial-$word.XXXXXX")
  echo "users-trial: $name: log in $log" >&2
  "${root:?}/scripts/bare-machine-trial" "${options[@]}" "${@:1:$#-1}" "${*: -1} && ls results/*-quick/report/index.html" >"$log" 2>&1 </dev/null || code=$?
  if ((code)); then
    tail -n 40 "$log" >&2
    fail "ends with $code, see above and $log"
  fi
  grep -q '^results/.*-quick/report/index.html$' "$log" || fail "no report: $(tail -n 3 "$log" | tr '\n' ' ')"
  grep '^mitosis: left out: ' "$log" | cut -c1-200 || true
  rm "$log"
  echo "PASS users-trial: $name ($((SECONDS - started)) s)"
}

# The commands of the Dockerfile's RUN, one a line.
dockerfile_steps() { sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$root/Dockerfile" | sed -n 's/^RUN //p'; }

# users_places WORD,... OPTION...
users_places() {
  local chosen=$1 options=("${@:2}") steps rights word
  [[ $chosen ]] || reject "--places= needs a place: ${place_words[*]}"
  for word in ${chosen//,/ }; do
    [[ " ${place_words[*]} " == *" $word "* ]] || reject "there is no place '$word': choose from ${place_words[*]}"
  done
  (place debian-12 "fresh Debian 12" --suite bookworm './bench quick')
  (place user "an ordinary user" --suite bookworm --again --user plain './bench quick')
  (place path "a path with a blank and an umlaut, LANG=C" --suite bookworm --again --user root \
    'rm -rf "/root/ein Pfad, ü" && mkdir "/root/ein Pfad, ü" && cp -r . "/root/ein Pfad, ü/m" && cd "/root/ein Pfad, ü/m" && env -u LC_ALL LANG=C ./bench quick')
  (place container "root with a container's rights" --suite bookworm --again --user root \
    'apt-get install -qq python3 && scripts/container-rights ./bench quick')
  mapfile -t steps < <(dockerfile_steps)
  rights=$(sed -n 's/^ *cap_add: \[\(.*\)\]/\1/p' "$root/compose.yaml")
  # As root does them in the image; of compose.yaml's rights, the profile of system calls is left out.
  (place dockerfile "the steps of the Dockerfile" --suite bookworm --user root "${steps[0]} && ${steps[1]} && ${steps[2]} && mkdir -p /work &&
    cp mitosis-jmh/target/benchmarks.jar /work && cd /work && LC_ALL=C.UTF-8 \"\$OLDPWD/scripts/container-rights\" \
    --unconfined --cap-add '${rights// /}' java -jar benchmarks.jar quick")
  (place debian-13 "fresh Debian 13" --suite trixie './bench quick')
}
