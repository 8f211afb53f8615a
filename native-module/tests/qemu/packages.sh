# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages of the rig, unpacked below $cache and never installed: kernel
# images with their modules, headers, busybox. To be sourced; messages go to stderr.

cache=${MITOSIS_QEMU_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/mitosis/qemu}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# skip REASON: exits with 77; the reason is the last line.
skip() {
	say "$*"
	exit 77
}

# depends_on PACKAGE PATTERN: the newest dependency of a package that matches.
depends_on() {
	apt-cache depends "$1" 2>/dev/null | sed -n 's/^[ |]*Depends: //p' |
		grep -E "^$2\$" | sort -uV | tail -n 1
}

# fetch FOLDER PACKAGE...: unpacks packages into $cache/FOLDER, once.
fetch() {
	local folder=$cache/$1 part=$cache/$1.part package
	shift
	[[ ! -e $folder ]] || return 0
	say "fetching $* into $folder"
	rm -rf "$part" && mkdir -p "$part/debs" "$part/root" || return
	if ! (cd "$part/debs" && apt-get -q download "$@") >"$part/log" 2>&1; then
		cat "$part/log" >&2
		return 1
	fi
	for package in "$part"/debs/*.deb; do
		dpkg-deb -x "$package" "$part/root" || return
	done
	mv "$part/root" "$folder" && rm -rf "$part"
}

# Updates apt's lists, which may name files that the mirror no longer has; as root
# only.
refresh_lists() {
	((EUID == 0)) || return 1
	say "updating apt's package lists"
	apt-get -q -o DPkg::Lock::Timeout=300 update >&2
}

# Sets $release (as in uname -r) to the newest 6.1 or 6.12 that apt knows.
newest_release() {
	local headers
	case $1 in
	6.1) headers=linux-headers-amd64 ;;
	*) headers=linux-headers-$1-amd64 ;;
	esac
	release=$(depends_on "$headers" "linux-headers-${1//./\\.}[^ ]*")
	release=${release#linux-headers-}
	[[ -n $release ]]
}

fetch_kernel() {
	local image=linux-image-$release kbuild
	kbuild=$(depends_on "linux-headers-$release" 'linux-kbuild-.*')
	[[ -n $kbuild ]] &&
		fetch "linux-$release" "$image" "linux-headers-$release" \
			"linux-headers-${release%-amd64}-common" "$kbuild"
}

# What --kernel may be, as a pattern. That of Debian 13 is newer than 6.12 of Debian 12, and
# built by another compiler.
kernels='^(6\.1|6\.12|6\.12-deb13|7\.2|7\.3|debug|kcsan)$'

# finish_modules KERNEL: makes lib/modules/$release of an unpacked image usable.
finish_modules() {
	local modules
	for modules in "$1"/usr/lib/modules "$1"/lib/modules; do
		[[ -d $modules/$release ]] || continue
		rm -f "$modules/$release/build" "$modules/$release/source"
	done
	[[ -e $1/lib/modules ]] || { mkdir -p "$1/lib" && ln -s ../usr/lib/modules "$1/lib/modules"; }
	busybox depmod -b "$1" "$release"
}

# unpack_kernel 6.1|6.12|6.12-deb13|7.2|7.3|debug|kcsan: sets $release, and $kernel to the kernel's
# folder with boot/vmlinuz-$release, lib/modules/$release and build/ (for KDIR). A
# fetched release is used until apt knows a newer one. For a kernel of another Debian
# release, $tree is where to build for it instead.
unpack_kernel() {
	tree=
	if [[ $1 == debug || $1 == kcsan ]]; then
		kernel=$cache/linux-$1
		[[ -e $kernel/release ]] || skip "there is no $1 kernel: build it with tests/qemu/debug-kernel$([[ $1 == debug ]] || echo " $1") (10 minutes)"
		release=$(<"$kernel/release")
		return
	fi
	if [[ $1 == 7.* || $1 == *-deb13 ]]; then
		"${here:?}/build-tree" "$1" || exit
		tree=$cache/tree-$1
		release=$(<"$tree/release")
		kernel=$cache/linux-$release
		return
	fi
	command -v apt-get >/dev/null ||
		skip "needs apt-get, to download kernel $1 as a Debian package"
	newest_release "$1" || { refresh_lists && newest_release "$1"; } ||
		skip "apt knows no linux-headers package of kernel $1 (Debian 12 with its security updates has one)"
	fetch_kernel || { refresh_lists && newest_release "$1" && fetch_kernel; } ||
		skip "the packages of kernel $release cannot be downloaded: see above"
	kernel=$cache/linux-$release
	[[ ! -e $kernel/build ]] || return 0
	# The headers refer to each other by their installed paths.
	sed -i "s:^include /usr/src/:include $kernel/usr/src/:" "$kernel/usr/src/linux-headers-$release/Makefile"
	finish_modules "$kernel" || return
	ln -s "usr/src/linux-headers-$release" "$kernel/build"
}

unpack_busybox() {
	fetch busybox busybox-static || { refresh_lists && fetch busybox busybox-static; } ||
		skip "the package busybox-static cannot be downloaded: see above"
}
busybox_path() {
	local binary
	for binary in "$cache"/busybox/{usr/,}bin/busybox; do
		[[ ! -x $binary ]] || { echo "$binary"; return; }
	done
	return 1
}
busybox() { "$(busybox_path)" "$@"; }

# check_prefix OBJECT: every global symbol that the module defines starts with
# mitosis_, behind the prefixes of the kernel's own macros.
check_prefix() {
	local others
	others=$(nm --defined-only --extern-only "$1" | awk '{ print $3 }' |
		sed -E 's/^__(ksymtab|crc|kstrtab|kstrtabns|export_symbol)_//; s/^(__(pfx|cfi)_+)?(__)?(SCK__|SCT__|traceiter_|tracepoint_|probestub_)?(tp_func_)?//' |
		grep -vxE 'mitosis_.*|init_module|cleanup_module|this_module' || true)
	[[ -z $others ]] || {
		say "global symbols of the module without the prefix mitosis_: ${others//$'\n'/ }"
		return 1
	}
}

# run_in_tree COMMAND...: runs a command in $tree. The kernel's tools read /proc, which is
# mounted for it alone.
run_in_tree() {
	# shellcheck disable=SC2016 # expanded there
	timeout --kill-after=10 900 unshare --mount --pid --fork --kill-child sh -c 'mount --make-rprivate / &&
		mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$tree" "$@"
}

# make_in_tree FOLDER: builds the copy of the sources in FOLDER in $tree.
make_in_tree() {
	local inside status=0
	inside=$(mktemp -d "$tree/root/mitosis.XXXXXX") && cp -a "$1"/{kernel,proto,include} "$inside"/ || return
	run_in_tree make -C "${inside#"$tree"}/kernel" KDIR="/lib/modules/$release/build" CONFIG_DEBUG_INFO_BTF_MODULES= &&
		cp -a "$inside"/kernel/. "$1/kernel/" || status=$?
	rm -rf "$inside"
	return $status
}

# build_module: sets $module to mitosis.ko of the checkout $native, built for the
# unpacked kernel, in a copy of the sources: kbuild writes beside them.
build_module() {
	local copy=${native:?}/target/modules/$release log
	local build=(make -C "$copy/kernel" KDIR="$kernel/build" CONFIG_DEBUG_INFO_BTF_MODULES=)
	[[ -z $tree ]] || build=(make_in_tree "$copy")
	module=$copy/kernel/mitosis.ko log=$copy.log
	[[ ! -e $module || -n $(find "$native"/{kernel,proto,include} -newer "$module" -print -quit) ]] || return 0
	rm -rf "$copy" && mkdir -p "$copy" && cp -a "$native"/{kernel,proto,include} "$copy"/ || return
	if ! "${build[@]}" >"$log" 2>&1; then
		grep -E 'error|Error|warning|\*\*\*' "$log" | head -n 30 >&2
		say "mitosis.ko cannot be built for $release: see above, and $log"
		exit 1
	fi
	check_prefix "$copy/kernel/mitosis.o" || exit 1
	# Where the kernel has RDMA.
	[[ ! -e $copy/kernel/mitosis_rdma.o ]] || check_prefix "$copy/kernel/mitosis_rdma.o" || exit 1
	say "built mitosis.ko for $release"
}
