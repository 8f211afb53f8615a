# SPDX-License-Identifier: Apache-2.0
# make dkms-install: the kernel module by DKMS, which builds it again for each new kernel and
# signs it. It is loaded at boot, and its device is for root, or for a group as well.

DKMS_KERNEL ?= $(shell uname -r)
DEVICE_GROUP ?=
DKMS_SOURCE = /usr/src/mitosis-$(VERSION)
# What is installed beside the module.
DKMS_LOAD = /etc/modules-load.d/mitosis.conf
DKMS_RULES = /etc/udev/rules.d/60-mitosis.rules
DKMS_PAGE = $(PREFIX)/share/man/man4/mitosis.4
device_rights = $(if $(DEVICE_GROUP),GROUP="$(DEVICE_GROUP)"$(comma) MODE="0660",MODE="0600")
# All versions that DKMS has, those of older releases as well.
dkms_remove = for version in $$(dkms status mitosis | sed -n 's|^mitosis/\([^,:]*\)[,:].*|\1|p' | sort -u); do \
	dkms remove "mitosis/$$version" --all || exit; done
# Only where udev runs, which it does not in a tree that is being made.
udev_reload = if [ -S /run/udev/control ]; then udevadm control --reload && \
	udevadm trigger --subsystem-match=misc --sysname-match=mitosis-syscalls; fi

.PHONY: dkms-install dkms-uninstall
dkms-install: ## the kernel module by dkms, as root; DEVICE_GROUP= may use it, too
dkms-install: one-prefix
	@command -v dkms >/dev/null || { echo 'needs dkms (apt-get install dkms openssl)' >&2; exit 1; }
	@command -v openssl >/dev/null || echo 'no openssl: DKMS cannot sign the module, which Secure Boot needs' >&2
	@[ -z '$(DEVICE_GROUP)' ] || getent group '$(DEVICE_GROUP)' >/dev/null || \
		{ echo 'there is no group $(DEVICE_GROUP): groupadd --system $(DEVICE_GROUP)' >&2; exit 1; }
	@$(dkms_remove)
	rm -rf $(DKMS_SOURCE)
	@# DKMS runs it as root at each new kernel: nobody else may write to it, the checkout's owner included.
	umask 022 && mkdir -p $(DKMS_SOURCE) && cp -RL kernel proto include $(DKMS_SOURCE)/ && \
		chmod -R go-w $(DKMS_SOURCE) && sed 's/@VERSION@/$(VERSION)/' kernel/dkms.conf >$(DKMS_SOURCE)/dkms.conf
	dkms add mitosis/$(VERSION)
	dkms build mitosis/$(VERSION) -k $(DKMS_KERNEL)
	dkms install mitosis/$(VERSION) -k $(DKMS_KERNEL)
	install -d $(dir $(DKMS_LOAD) $(DKMS_RULES) $(DKMS_PAGE))
	printf '%s\n' '# Loaded at boot; its parameters: mitosis(4).' mitosis >$(DKMS_LOAD)
	printf '%s\n' '# Who may use remote fork.' \
		'SUBSYSTEM=="misc", KERNEL=="mitosis-syscalls", $(device_rights)' >$(DKMS_RULES)
	install -m 644 kernel/mitosis.4 $(DKMS_PAGE)
	@$(udev_reload)
	@echo 'next: modprobe mitosis'

dkms-uninstall: ## remove what `make dkms-install` has put there; a loaded module stays until rmmod
dkms-uninstall: one-prefix
	@if command -v dkms >/dev/null; then $(dkms_remove); fi
	rm -rf /usr/src/mitosis-[0-9]*
	rm -f $(DKMS_LOAD) $(DKMS_RULES) $(DKMS_PAGE)
	[ ! -d $(dir $(DKMS_PAGE)) ] || rmdir --ignore-fail-on-non-empty $(dir $(DKMS_PAGE))
	@$(udev_reload)
