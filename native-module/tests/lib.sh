# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What tests/run and tests/run-targets share.

# left_behind DIR: processes, as "name(pid) ...", that have MITOSIS_RUNTIME_DIR=DIR
# in their environment or a file below DIR open. Zombies have no memory.
left_behind() {
	{
		grep -lszx "MITOSIS_RUNTIME_DIR=$1" /proc/[0-9]*/environ
		find /proc/[0-9]*/fd -lname "$1/*" 2>/dev/null
	} | cut -d/ -f3 | sort -un | while read -r pid; do
		if [ "$pid" != $$ ] &&
			grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"; then
			printf '%s(%s) ' "$(cat "/proc/$pid/comm" 2>/dev/null)" "$pid"
		fi
	done
}

# wait_left_behind DIR: the same after at most 10 s in which they may end.
wait_left_behind() {
	until=$(($(date +%s) + 10))
	left=$(left_behind "$1")
	while [ -n "$left" ] && [ "$(date +%s)" -le $until ]; do
		sleep 0.05
		left=$(left_behind "$1")
	done
	printf '%s' "$left"
}

# end_left_behind "name(pid) ...": so that the next test starts clean.
end_left_behind() {
	for pid in $(echo "$1" | grep -o '([0-9]*)' | tr -d '()'); do
		kill -9 "$pid" 2>/dev/null
	done
}

# keep NAME PASSED DIR...: what a test left in these folders is copied to
# $kept/NAME, if it did not pass or MITOSIS_TEST_KEEP is set.
keep() {
	to=${kept:?}/$1 passed=$2
	shift 2
	rm -rf "$to"
	[ "$passed" = no ] || [ -n "${MITOSIS_TEST_KEEP:-}" ] || return 0
	if mkdir -p "$to" 2>/dev/null && cp -a "$@" "$to"; then
		echo "    files: $to"
	fi
}

# column_of MODE: its column in docs/children.md.
column_of() {
	case $1 in
	lazy-*) echo lazy ;;
	tcp-lazy-*) echo 'TCP lazy' ;;
	# In a lean container.
	tcp-auto) echo 'TCP replica' ;;
	# RDMA carries the same pages.
	rdma-user-to-kernel*) echo 'user to module' ;;
	rdma-kernel-to-user) echo 'module to user' ;;
	rdma-kernel) echo 'module TCP' ;;
	rdma-lazy-*) echo 'TCP lazy' ;;
	rdma-*) echo "TCP ${1#rdma-}" ;;
	tcp-*) echo "TCP ${1#tcp-}" ;;
	kernel-tcp-*) echo 'module TCP' ;;
	*-to-*) echo "$1" | sed 's/-to-/ to /; s/kernel/module/' ;;
	kernel-*) echo module ;;
	*) echo "$1" ;;
	esac
}

# show_daemon_log DIR: mitosisd writes only when something is wrong.
show_daemon_log() {
	if [ -s "$1/mitosisd.log" ]; then
		sed 's/^/    mitosisd: /' "$1/mitosisd.log"
	fi
}

# kernel_complaint: prints the kernel's reports since the last test, where
# MITOSIS_TEST_KERNEL_LOG names a command that prints it (tests/qemu).
kernel_complaint() {
	[ -z "${MITOSIS_TEST_KERNEL_LOG:-}" ] || $MITOSIS_TEST_KERNEL_LOG
}
