# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of guest/rdma and guest/rdma-machines, beside those of lib.sh: soft-RoCE.

# What unload_rdma removes again, the last one first.
loaded=()

# load_kernel_module NAME: with all that it needs, of which modules.dep names the first last.
load_kernel_module() {
	local line file files i
	line=$(grep -E "/$1\.ko[^ ]*:" "${MODULES:?}/modules.dep") || return 0
	read -ra files <<<"${line/:/}"
	for ((i = ${#files[@]} - 1; i >= 0; i--)); do
		file=$MODULES/${files[i]}
		if [[ $file == *.xz ]]; then
			busybox xz -dc "$file" >/run/module.ko
			file=/run/module.ko
		fi
		if busybox insmod "$file" 2>/run/insmod; then
			file=${files[i]##*/}
			loaded=("${file%%.*}" "${loaded[@]}")
		else
			grep -q 'File exists' /run/insmod || cat /run/insmod
		fi
	done
}

# Returns 77 and prints why there is none.
load_rdma() {
	local name
	command -v rdma >/dev/null || { echo "needs iproute2"; return 77; }
	ldconfig -p | grep -q 'librdmacm\.so\.1 ' || { echo "needs librdmacm1"; return 77; }
	[[ -e /etc/libibverbs.d/rxe.driver ]] || { echo "needs ibverbs-providers"; return 77; }
	# On 6.1 rdma_rxe looks for crc32 by name.
	for name in crc32_generic rdma_rxe ib_uverbs rdma_ucm; do
		load_kernel_module $name
	done
	[[ -e /sys/module/rdma_rxe ]] || { echo "no soft-RoCE in this kernel"; return 77; }
}

# add_device INTERFACE: makes its device rxe0.
add_device() {
	local tries=100
	rdma link add rxe0 type rxe netdev "$1" || { echo "soft-RoCE cannot use $1"; return 1; }
	until [[ -c /dev/infiniband/uverbs0 && -c /dev/infiniband/rdma_cm ]]; do
		((tries-- > 0)) || { echo "/dev/infiniband has no device"; return 1; }
		sleep 0.1
	done
}

# not_started STATUS TEST OUTPUT: prints the line of a test whose device is missing.
not_started() {
	local said=FAIL
	(($1 != 77)) || said=SKIP
	echo "$said $2: $(tail -n 1 "$3")"
}

# remove_devices: waits until nothing refers to them.
remove_devices() {
	local device
	for device in /sys/class/infiniband/rxe*; do
		[[ ! -e $device ]] || timeout 20 rdma link delete "${device##*/}" ||
			echo "FAIL soft-RoCE: ${device##*/} cannot be removed"
	done
}

unload_rdma() {
	local name tries=50
	for name in "${loaded[@]}"; do
		# A reference may end later, such as that of a connection that was closed.
		until busybox rmmod "$name" 2>/run/rmmod; do
			((tries-- > 0)) || { echo "FAIL soft-RoCE: $(</run/rmmod)"; return; }
			sleep 0.1
		done
	done
	loaded=()
}
