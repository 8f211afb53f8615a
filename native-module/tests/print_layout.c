// SPDX-License-Identifier: Apache-2.0
/* Prints the constants and layouts that Java repeats, as this compiler sees it, one "name value" a line. */
#define _GNU_SOURCE
#include <sched.h>
#include <stddef.h>
#include <stdio.h>

#include "libmitosis.h"

#define NUMBER(name) printf(#name " %llu\n", (unsigned long long)(name))
#define STRUCT(type) printf("sizeof." #type " %zu\n", sizeof(struct type))
#define FIELD(type, field)                                                          \
	printf("offsetof." #type "." #field " %zu\nsizeof." #type "." #field        \
	       " %zu\n",                                                            \
	       offsetof(struct type, field), sizeof(((struct type *)0)->field))

int main(void)
{
	NUMBER(MITOSIS_NIL);
	NUMBER(MITOSIS_CONNECT);
	NUMBER(MITOSIS_PREPARE);
	NUMBER(MITOSIS_RESUME_LOCAL);
	NUMBER(MITOSIS_RESUME_REMOTE);
	NUMBER(MITOSIS_PREPARE_PINNED);
	NUMBER(MITOSIS_NIL_RPC);
	NUMBER(MITOSIS_IOC_UNPREPARE);
	NUMBER(MITOSIS_IOC_NEXT);
	NUMBER(MITOSIS_IOC_PREPARE_DESCRIBED);
	NUMBER(MITOSIS_GID_LENGTH);
	NUMBER(MITOSIS_ADDRESS_LENGTH);
	NUMBER(MITOSIS_SNAPSHOT_PINNED);

	/* org.mitosis.Limits */
	NUMBER(MITOSIS_PREFETCH_PAGES_MAX);
	NUMBER(MITOSIS_PREFETCH_PAGES_DEFAULT);
	NUMBER(CPU_SETSIZE);

	/* org.mitosis.posix.LibMitosis */
	NUMBER(MITOSIS_BACKEND_USER);
	NUMBER(MITOSIS_SEED_SIZE);
	NUMBER(MITOSIS_LEFT_OUT_MAX);

	STRUCT(mitosis_connect_req);
	FIELD(mitosis_connect_req, machine_id);
	FIELD(mitosis_connect_req, nic_id);
	FIELD(mitosis_connect_req, gid);

	STRUCT(mitosis_remote_req);
	FIELD(mitosis_remote_req, machine_id);
	FIELD(mitosis_remote_req, handler_id);

	STRUCT(mitosis_snapshot);
	FIELD(mitosis_snapshot, handler_id);
	FIELD(mitosis_snapshot, flags);
	FIELD(mitosis_snapshot, owner_pid);
	FIELD(mitosis_snapshot, shadow_pid);
	FIELD(mitosis_snapshot, prepared_at_ns);

	STRUCT(mitosis_child);
	FIELD(mitosis_child, seed);
	FIELD(mitosis_child, generation);
	FIELD(mitosis_child, handler_id);
	FIELD(mitosis_child, size);
	FIELD(mitosis_child, number);
	FIELD(mitosis_child, machine_id);
	FIELD(mitosis_child, reserved);
	FIELD(mitosis_child, descriptor_ns);
	FIELD(mitosis_child, born_ns);
	FIELD(mitosis_child, files_ns);
	FIELD(mitosis_child, mapped_ns);
	FIELD(mitosis_child, go_ns);

	STRUCT(mitosis_contents);
	FIELD(mitosis_contents, size);
	FIELD(mitosis_contents, threads);
	FIELD(mitosis_contents, files);
	FIELD(mitosis_contents, mappings);
	FIELD(mitosis_contents, bytes);
	STRUCT(mitosis_prepare_options);
	FIELD(mitosis_prepare_options, size);
	FIELD(mitosis_prepare_options, stop_ms);
	FIELD(mitosis_prepare_options, left_out_count);
	FIELD(mitosis_prepare_options, stop_signal);
	FIELD(mitosis_prepare_options, left_out);
	return 0;
}
