# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions of guest/rdma and guest/rdma-machines, beside those of lib.sh: soft-RoCE.

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
		busybox insmod "$file" 2>/run/insmod || grep -q 'File exists' /run/insmod || cat /run/insmod
	done
}

# Prints why there is none.
load_rdma() {
	local name
	command -v rdma >/dev/null || { echo "needs iproute2"; return 1; }
	ldconfig -p | grep -q 'librdmacm\.so\.1 ' || { echo "needs librdmacm1"; return 1; }
	[[ -e /etc/libibverbs.d/rxe.driver ]] || { echo "needs ibverbs-providers"; return 1; }
	# On 6.1 rdma_rxe looks for crc32 by name.
	for name in crc32_generic rdma_rxe ib_uverbs rdma_ucm; do
		load_kernel_module $name
	done
}

# add_device INTERFACE: makes its device rxe0.
add_device() {
	local tries=100
	rdma link add rxe0 type rxe netdev "$1" || { echo "no soft-RoCE in this kernel"; return 1; }
	until [[ -c /dev/infiniband/uverbs0 && -c /dev/infiniband/rdma_cm ]]; do
		((tries-- > 0)) || { echo "/dev/infiniband has no device"; return 1; }
		sleep 0.1
	done
}
