# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of guest/suite, beside those of lib.sh: stages follow each other in any order, as
# each leaves the guest as it found it.
# shellcheck disable=SC2154  # slow is of lib.sh

# guest_state: what no stage may change for the next one, a line each.
guest_state() {
	local process name file
	cut -d' ' -f1 /proc/modules | sort | sed 's/^/kernel module /'
	for file in /sys/module/mitosis/{refcnt,parameters/*}; do
		[[ ! -r $file ]] || echo "$file: $(<"$file")"
	done
	cut -d' ' -f2 /proc/mounts | sed 's/^/mounted at /'
	for file in /sys/class/infiniband/*; do
		[[ ! -e $file ]] || echo "RDMA device ${file##*/}"
	done
	for file in /sys/class/net/*; do
		echo "network interface ${file##*/} with MTU $(<"$file/mtu")"
	done
	busybox ip -o address | awk '{ print "address " $4 " of " $2 }'
	# Kernel threads and zombies have no /proc/PID/exe. No program may be started in this loop.
	for process in /proc/[0-9]*; do
		[[ ${process#/proc/} != "$BASHPID" && -e $process/exe ]] || continue
		read -r name 2>/dev/null <"$process/comm" && echo "process ${process#/proc/}, $name"
	done
}

# run_stage FUNCTION NAME: prints a failure if the stage has left something. Removes its files
# of /run, but for the output of its tests.
run_stage() {
	local before after files file end_s
	# Of both guests alike, see await_peer.
	export STAGE_NUMBER=$((${STAGE_NUMBER:-0} + 1))
	before=$(guest_state)
	files=" $(cd /run && echo .* *) "
	$1
	# A pager ends after its child.
	end_s=$((SECONDS + 15 * slow))
	until after=$(guest_state) && [[ $after == "$before" ]]; do
		if ((SECONDS > end_s)); then
			echo "FAIL $2: it has not left the guest as it was: see below"
			diff <(echo "$before") <(echo "$after") | sed -n 's/^</    gone:/p; s/^>/    left:/p'
			return
		fi
		sleep 0.1
	done
	for file in /run/.* /run/*; do
		[[ $files == *" ${file#/run/} "* || $file == /run/output.* || $file == /run/kept ]] || rm -rf "$file"
	done
}
