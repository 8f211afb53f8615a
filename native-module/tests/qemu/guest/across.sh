# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of guest/two-machines and guest/rdma-machines, beside those of lib.sh: parents in
# the other guest, children in this one. They set `bin`, `tests` and `deadline_s`, of one
# target: below that of run_test, which cannot end programs of the other guest.
# shellcheck disable=SC2154  # these

# across TARGET PARENT-BACKEND CHILD-BACKEND MACHINE ADDRESS: runs a child here of a parent there.
across() {
	local target=$1 machine=$4 address=$5 status=0 tries=$((deadline_s * 20)) parent out=/run/across
	local environment="MITOSIS_TEST_ID=73 MITOSIS_TEST_BACKEND=$2 MITOSIS_TEST_CHILD_BACKEND=$3 MITOSIS_TEST_BIN=$bin"
	environment+=" JAVA_HOME=${JAVA_HOME-} MITOSIS_TEST_CLASSES=${MITOSIS_TEST_CLASSES-}"
	local program=$tests/targets/$target
	[[ $target != *.py ]] || program="/usr/bin/python3 $program"
	[[ $target != warm-jvm ]] || program=$NATIVE/tests/qemu/guest/warm-jvm
	environment+=" MITOSIS_RUNTIME_DIR=/run/remote"
	rm -f $out $out.in
	mkfifo $out.in
	on_peer "cd $NATIVE && $environment timeout $deadline_s $program; status=\$?; echo ended; exit \$status" <$out.in >$out &
	parent=$!
	exec 8>$out.in
	until grep -qsE '^(ready|ended)' $out || ! kill -0 "$parent" 2>/dev/null; do
		((tries-- > 0)) || break
		sleep 0.05
	done
	if grep -qsx ready $out; then
		MITOSIS_RUNTIME_DIR=/run/local timeout "$deadline_s" "$bin/mitosis-child" --backend "$3" --handler-id 73 \
			--remote "$machine" --address "$address" 8>&- || status=$?
		exec 8>&-
		wait "$parent" || { status=$?; cat $out; }
	else
		exec 8>&-
		wait "$parent" || status=$?
		grep -vx ended $out
	fi
	return $status
}

# start_remote_machine LISTEN [VARIABLE=VALUE]...: a machine 102 of the user backend there.
start_remote_machine() {
	local listen=$1
	shift
	on_peer "mkdir -p /run/remote && chmod 700 /run/remote && cd /run && { MITOSIS_RUNTIME_DIR=/run/remote MITOSIS_KEY_FILE=$MITOSIS_KEY_FILE $* \
		setsid $bin/mitosisd --machine-id 102 --listen $listen </dev/null >remote.log 2>&1 || { cat remote.log; false; }; }" </dev/null
}

# end_machines: ends it, and the one that the children of the user backend have started here.
end_machines() {
	on_peer "source $NATIVE/tests/qemu/guest/across.sh; end_machine /run/remote" </dev/null
	end_machine /run/local
}
end_machine() {
	local pid tries=200
	pid=$(cat "$1/mitosisd.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null
	while [[ -e /proc/$pid ]]; do
		((tries-- > 0)) || { echo "mitosisd of $1 does not end"; return 1; }
		sleep 0.1
	done
}
