// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/description.h"

#include <unistd.h>

/* Where the other thread's frame is. */
static char frame[DESCRIPTOR_FRAME_SIZE];

struct description description_make(void)
{
	return (struct description){
		.header = {
			.magic = DESCRIPTOR_MAGIC,
			.version = DESCRIPTOR_VERSION,
			.header_size = sizeof(struct descriptor_header),
			.total_size = sizeof(struct description),
			.thread_count = 2,
			.fd_count = 1,
			.strings_size = sizeof(((struct description *)NULL)->path),
			.data_size = sizeof(DESCRIPTION_DATA),
			.page_size = sysconf(_SC_PAGESIZE),
			.process = getpid(),
			.state = {
				.known = PROCESS_FILE_MODE_MASK,
				.file_mode_mask = 027,
			},
		},
		.caller = { .tid = getpid() },
		.other = { .frame = (uintptr_t)frame, .tid = getpid() + 1 },
		.fd = {
			.number = 9,
			.kind = FD_PIPE,
			.shares = DESCRIPTOR_FD_OWN,
			.data_size = sizeof(DESCRIPTION_DATA),
		},
		.path = DESCRIPTION_PATH,
		.data = DESCRIPTION_DATA,
	};
}
