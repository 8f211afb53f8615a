# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of the scripts in a guest. tests/qemu/boot sets NODE (1 or 2), NODES,
# MODULE (path of mitosis.ko, or empty), PARAMETERS (of the module), NATIVE (the
# folder native-module), OUT (this guest's folder for results), MODULES (the kernel's).

export MITOSIS_TEST_KERNEL_LOG=$NATIVE/tests/qemu/guest/kernel-log
export MITOSIS_TEST_EMULATED=1
# Factor of deadlines: the debug kernels are slow.
slow=1
[[ ! -e /sys/kernel/debug/kmemleak && ! -e /sys/kernel/debug/kcsan ]] || slow=6
export MITOSIS_KEY_FILE=/run/mitosis.key

load_module() {
	# shellcheck disable=SC2086  # the parameters are words
	busybox insmod "$MODULE" machine_id="$NODE" $PARAMETERS || {
		dmesg | tail -n 5
		echo "mitosis.ko cannot be loaded: see above"
		return 1
	}
}

unload_module() { busybox rmmod mitosis; }

check_log() {
	local report
	report=$("$MITOSIS_TEST_KERNEL_LOG") || true
	[[ -z $report ]] || {
		echo "the kernel's log has: $report"
		return 1
	}
}

# run_test NAME DEADLINE-S COMMAND...: runs a test and prints one line as tests/run
# does. Exit status 77 is a skip; the reason is the last line of the output.
run_test() {
	local name=$1 deadline_s=$(($2 * slow)) status=0 report output=/run/output.$1
	shift 2
	timeout --kill-after=5 "$deadline_s" "$@" >"$output" 2>&1 </dev/null || status=$?
	report=$("$MITOSIS_TEST_KERNEL_LOG")
	if [[ $report ]]; then
		echo "FAIL $name: the kernel's log has: ${report%%$'\n'*}"
	elif ((status == 77)); then
		echo "SKIP $name: $(tail -n 1 "$output")"
		return
	elif ((status == 124 || status == 137)); then
		echo "FAIL $name: no end within $deadline_s s"
	elif ((status)); then
		echo "FAIL $name: exit $status: $(tail -n 1 "$output")"
	else
		echo "PASS $name"
		return
	fi
	{
		printf '%s\n' "$report"
		tail -n 60 "$output"
	} | sed '/^$/d; s/^/    /'
}

# serve_peer: runs commands of the other guest (see on_peer), until it calls end_peer.
serve_peer() {
	local server
	echo "${STAGE_NUMBER-}" >/run/serving
	busybox nc -ll -p 4000 -e "$NATIVE/tests/qemu/guest/obey" &
	server=$!
	until [[ -e /run/done ]]; do sleep 0.2; done
	# Before the server's end: await_peer of the next stage looks for it.
	rm /run/serving /run/done
	kill "$server"
	wait "$server" || true
}
end_peer() { on_peer "touch /run/done" </dev/null; }

# on_peer COMMAND: runs a shell command in the other guest, with this standard input
# and output; returns the command's exit status.
on_peer() {
	{
		printf '%s\n' "$1"
		cat
	} | busybox nc "10.0.0.$((3 - NODE))" 4000 | {
		status=1
		while IFS= read -r line; do
			case $line in
			'exit status '*) status=${line#exit status } ;;
			*) printf '%s\n' "$line" ;;
			esac
		done
		exit "$status"
	}
}

# await_peer: waits until the other guest serves, in the same stage of guest/suite.
await_peer() {
	local tries=$((3000 * slow))
	until on_peer "[[ \$(cat /run/serving) == '${STAGE_NUMBER-}' ]]" </dev/null >/dev/null 2>&1; do
		((tries-- > 0)) || { echo "the other guest does not answer"; return 1; }
		sleep 0.2
	done
}
