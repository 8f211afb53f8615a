# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What scripts in a guest share. Set by tests/qemu/boot: NODE (1, 2), NODES,
# MODULE (mitosis.ko, or nothing), PARAMETERS (of the module), NATIVE (the
# folder native-module), OUT (this guest's folder for results).

# load_module [PARAMETER=VALUE...]: those given here come last, so they win.
load_module() {
	# shellcheck disable=SC2086  # the parameters are words
	busybox insmod "$MODULE" machine_id="$NODE" $PARAMETERS "$@" || {
		dmesg | tail -n 5
		echo "mitosis.ko cannot be loaded: see above"
		return 1
	}
}

unload_module() { busybox rmmod mitosis; }

# What no test may leave in the kernel's log.
bad_news='BUG|WARNING:|Oops|Bad page|Bad rss|Call Trace|RIP: |general protection|stack segment|refcount_t|KASAN|UBSAN|unreferenced object|Objects remaining|leaked|possible recursive locking|possible circular locking|suspicious RCU|inconsistent lock state|sleeping function|INFO: task .* blocked|held lock|unable to handle|Kernel panic|page_owner|mitosis: .* left'

# take_log: moves what the kernel has said since the last time to
# $OUT/kernel.log, and prints what of it is bad; false if anything is.
take_log() {
	dmesg --read-clear >/run/kernel.log.new
	cat /run/kernel.log.new >>"$OUT/kernel.log"
	! grep -E "$bad_news" /run/kernel.log.new
}
check_log() {
	take_log >/run/bad && return
	echo "the kernel's log has: $(head -n 1 /run/bad)"
	return 1
}
