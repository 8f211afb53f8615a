// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "paging/shared_pages.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "paging/raw_syscall.h"

/* Takes up to `wanted` bytes of what is left. */
static uint64_t reserve(const struct shared_to *to, uint64_t wanted)
{
	uint64_t left = atomic_load(to->left), taken;

	do {
		taken = left <= to->kept	   ? 0
			: left - to->kept < wanted ? left - to->kept
						   : wanted;
	} while (taken &&
		 !atomic_compare_exchange_weak(to->left, &left, left - taken));
	return taken;
}

uint64_t shared_pages_put(const struct shared_to *to, uint64_t address,
			  const void *bytes, uint64_t length, int *err)
{
	uint64_t done = 0;

	*err = 0;
	while (done < length) {
		const uint64_t taken = reserve(to, length - done);
		struct uffdio_copy c = {
			.dst = address + done,
			.src = (uintptr_t)bytes + done,
			.len = taken,
		};
		uint64_t copied;
		long result;

		if (!taken) {
			*err = -EDQUOT;
			break;
		}
		result = raw_syscall(SYS_ioctl, to->uffd, UFFDIO_COPY, &c);
		copied = c.copy > 0 ? c.copy : 0;
		atomic_fetch_add(to->left, taken - copied);
		done += copied;
		if (result == -EEXIST) {
			done += to->page_size;
		} else if (result && !copied) {
			*err = result;
			break;
		}
	}
	return done;
}
