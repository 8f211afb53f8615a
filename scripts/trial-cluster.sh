# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A cluster of network namespaces (scripts/namespace-cluster) that lasts as long as the script that sources this, and
# prepare.sh before.

# start_cluster CHILDREN [--slurm]: installs missing packages, builds, and creates it. Sets cluster, its script; dir, its
# folder with cluster.conf and work/; and coordinator, the command to which targets are appended.
# shellcheck disable=SC2034 # read by the sourcing script
start_cluster() {
  ((EUID == 0)) || lack "needs root, to make network namespaces"
  install_missing
  install_cluster
  build
  use_jdk
  cluster=${root:?}/scripts/namespace-cluster
  dir=$(mktemp -u /var/tmp/mitosis-trial-XXXXXX)
  trap end_cluster EXIT
  trap 'exit 130' INT TERM
  "$cluster" up "$dir" --children "$@"
  mkdir "$dir/work"
  cp "${jar:?}" "$dir/work/benchmarks.jar"
  cat >"$dir/cluster.conf" <<CONFIG
PROJECT_PATH=/opt/mitosis
PARENT_HOST=p
CHILD_HOSTS=$(seq -f c%g -s, "$1")
SSH_CONFIG=$dir/ssh_config
JAVA=$JAVA_HOME/bin/java
CONFIG
  coordinator=("$JAVA_HOME/bin/java" -jar "$dir/work/benchmarks.jar" cluster --config "$dir/cluster.conf")
}

# shellcheck disable=SC2317 # by the trap
end_cluster() {
  trap - EXIT
  [[ ! -e $dir ]] || "$cluster" down "$dir"
}
