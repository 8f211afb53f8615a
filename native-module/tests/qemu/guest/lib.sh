# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What scripts in a guest share. Set by tests/qemu/boot: NODE (1, 2), NODES,
# MODULE (mitosis.ko, or nothing), PARAMETERS (of the module), NATIVE (the
# folder native-module), OUT (this guest's folder for results).

export MITOSIS_TEST_KERNEL_LOG=$NATIVE/tests/qemu/guest/kernel-log
export MITOSIS_TEST_EMULATED=1
# How much longer than elsewhere a test may take: the debug kernel checks much.
slow=1
[[ ! -e /sys/kernel/debug/kmemleak ]] || slow=6
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
	local complaint
	complaint=$("$MITOSIS_TEST_KERNEL_LOG") || true
	[[ -z $complaint ]] || {
		echo "the kernel's log has: $complaint"
		return 1
	}
}

# run_test NAME DEADLINE-S COMMAND...: one line, as tests/run prints it; exit 77
# is a skip, whose reason is the last line.
run_test() {
	local name=$1 deadline_s=$(($2 * slow)) status=0 complaint output=/run/output.$1
	shift 2
	timeout --kill-after=5 "$deadline_s" "$@" >"$output" 2>&1 </dev/null || status=$?
	complaint=$("$MITOSIS_TEST_KERNEL_LOG")
	if [[ $complaint ]]; then
		echo "FAIL $name: the kernel's log has: ${complaint%%$'\n'*}"
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
		printf '%s\n' "$complaint"
		tail -n 60 "$output"
	} | sed '/^$/d; s/^/    /'
}

# serve_peer: lets the other guest run commands here, see on_peer; until one of
# them makes the file /run/done.
serve_peer() {
	local server
	busybox nc -ll -p 4000 -e "$NATIVE/tests/qemu/guest/obey" &
	server=$!
	until [[ -e /run/done ]]; do sleep 0.2; done
	kill "$server"
}

# on_peer COMMAND: runs a shell command in the other guest, with its standard
# input and output; the exit status is the command's.
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

# await_peer: until the other guest serves.
await_peer() {
	local tries=$((1500 * slow))
	until on_peer true </dev/null 2>/dev/null; do
		((tries-- > 0)) || { echo "the other guest does not answer"; return 1; }
		sleep 0.2
	done
}
