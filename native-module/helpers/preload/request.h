/* SPDX-License-Identifier: Apache-2.0 */
/* What mitosis-prepare and a program with libmitosis-preload.so say to each other. */
#ifndef PRELOAD_REQUEST_H
#define PRELOAD_REQUEST_H

#include <stdint.h>

#include "libmitosis.h"

/* Changes with the layout: a longer message would be cut. */
#define PRELOAD_MAGIC 0x4c505446u

enum preload_command {
	PRELOAD_PREPARE = 1,
	PRELOAD_PREPARE_PINNED = 2,
	PRELOAD_UNPREPARE = 3,
};

/* One message of a SOCK_SEQPACKET socket each. */
struct preload_request {
	uint32_t magic;
	uint32_t command; /* enum preload_command */
	uint32_t handler_id;
	/* As in struct mitosis_prepare_options. */
	uint32_t stop_ms;
	uint32_t stop_signal;
	uint32_t left_out_count;
	int32_t left_out[MITOSIS_LEFT_OUT_MAX];
};

struct preload_answer {
	uint32_t magic;
	int32_t error; /* 0 or -errno */
	int32_t process;
	uint32_t reserved;  /* 0 */
	uint64_t took_ns;   /* the call of the library */
	char message[1024]; /* if there is an error; NUL-terminated */
};

#endif /* PRELOAD_REQUEST_H */
