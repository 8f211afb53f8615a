// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attachment.h"
#include "lib/error.h"
#include "lib/own_plan.h"
#include "lib/told_files.h"
#include "libmitosis.h"

static const struct {
	uint64_t item;
	const char *text;
} items[] = {
	{ PROCESS_LIMITS, "limits: the caller's hard limits are lower" },
	{ PROCESS_TIMER_SLACK, "timer slack: the caller's" },
	{ PROCESS_FILE_MODE_MASK, "umask: the caller's" },
	{ PROCESS_PERSONALITY, "personality: the caller's, or without "
			       "READ_IMPLIES_EXEC" },
	{ PROCESS_SCHEDULING, "scheduling policy, nice value: the caller's" },
	{ PROCESS_IO_PRIORITY, "I/O priority: the caller's" },
	{ PROCESS_OOM_SCORE, "oom_score_adj: the caller's" },
	{ PROCESS_COREDUMP_FILTER, "coredump_filter: the caller's" },
	{ PROCESS_HUGE_PAGES, "PR_SET_THP_DISABLE: the caller's" },
	{ PROCESS_MERGING, "PR_SET_MEMORY_MERGE: the caller's" },
	{ PROCESS_EXECUTION, "PR_SET_MDWE: the caller's" },
	{ PROCESS_MEMBARRIER, "membarrier: not registered" },
	{ PROCESS_WORKING_DIRECTORY, "working directory: the caller's" },
	{ PROCESS_PROGRAM, "/proc/self/exe: names the caller's program" },
	{ PROCESS_AUXV, "/proc/self/auxv: the caller's" },
	{ RESTORE_LOST_MERGEABLE, "madvise: memory is not mergeable" },
	{ RESTORE_LOST_SEALS, "mseal: memory is not sealed" },
	{ RESTORE_LOST_SHARED_FILES,
	  "shared mappings of files: a copy of what is not here" },
	{ RESTORE_LOST_SHARING, "shared memory: not shared by mappings, nor with "
				"what this process forks" },
	{ RESTORE_LOST_ATTACHMENTS,
	  "System V segments: a copy, attached to none (shmdt fails)" },
	{ (uint64_t)FRESH_INTERVAL_TIMERS << RESTORE_LOST_FRESH,
	  "timers (setitimer, alarm): not set" },
	{ (uint64_t)FRESH_TIMERS << RESTORE_LOST_FRESH,
	  "timers (timer_create): not there" },
	{ (uint64_t)FRESH_SIGNALS << RESTORE_LOST_FRESH,
	  "pending signals: none of the parent's" },
	{ (uint64_t)FRESH_LOCKS << RESTORE_LOST_FRESH,
	  "locks of memory (mlock): none" },
	{ (uint64_t)FRESH_SUBREAPER << RESTORE_LOST_FRESH,
	  "PR_SET_CHILD_SUBREAPER: not set" },
	{ (uint64_t)FRESH_DEATH_SIGNAL << RESTORE_LOST_FRESH,
	  "PR_SET_PDEATHSIG: not set" },
	{ (uint64_t)FRESH_SEGMENTS << RESTORE_LOST_FRESH,
	  "segments (modify_ldt): none" },
	{ (uint64_t)FRESH_THREAD_FILES << RESTORE_LOST_FRESH,
	  "open files of a thread of its own: those of the thread that prepared" },
	{ (uint64_t)FRESH_THREAD_DIRECTORY << RESTORE_LOST_FRESH,
	  "working directory, root, umask of a thread of its own: those of the "
	  "thread that prepared" },
	{ (uint64_t)FRESH_THREAD_RIGHTS << RESTORE_LOST_FRESH,
	  "user, groups, rights of a thread of its own: those of all threads" },
	{ (uint64_t)FRESH_THREAD_SCHEDULING << RESTORE_LOST_FRESH,
	  "policy, nice value, timer slack, personality of a thread of its own: "
	  "those of the thread that prepared" },
	{ (uint64_t)FRESH_THREAD_NAMESPACES << RESTORE_LOST_FRESH,
	  "namespaces of a thread of its own: those of all threads" },
};

/* A report under way. */
struct report {
	char *text;
	size_t size, used;
	int lines;
};

static void __attribute__((format(printf, 2, 3)))
add_line(struct report *r, const char *format, ...)
{
	va_list args;

	r->lines++;
	if (r->used >= r->size)
		return;
	va_start(args, format);
	r->used += vsnprintf(r->text + r->used, r->size - r->used, format, args);
	va_end(args);
}

static void tell_files(struct report *r, const struct told_files *told)
{
	uint32_t i;

	for (i = 0; i < told->count && i < TOLD_FILES_MAX; i++)
		add_line(r, "open file %u: %s\n", told->files[i].number,
			 told_text(told->files[i].difference));
	if (told->count > TOLD_FILES_MAX)
		add_line(r, "open files: %u more with no lock, watches or peer\n",
			 told->count - TOLD_FILES_MAX);
}

/* Writes what a child lacks, of RESTORE_LOST_*, and in its open files. */
static int write_report(char *text, size_t size, uint64_t lost,
			const struct told_files *told)
{
	struct report r = { .text = text, .size = size };
	uint32_t i;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (lost & items[i].item)
			add_line(&r, "%s\n", items[i].text);
	tell_files(&r, told);
	return r.lines;
}

static int report_of_attachment(const struct mitosis_attachment *a, char *text,
				size_t size)
{
	const struct restore_plan *plan = attachment_plan(a);
	struct descriptor_header *fetched = NULL;
	const struct descriptor_header *d;
	struct told_files expected = { 0 };
	uint64_t lost = plan ? plan->lost : 0;
	uint32_t i;
	int err = plan ? 0 : attachment_fetch(a, &fetched, &lost);

	if (err)
		return err;
	d = plan ? plan->descriptor : fetched;
	for (i = 0; i < d->fd_count; i++)
		told_files_add(&expected, descriptor_fds(d), i);
	free(fetched);
	return write_report(text, size, lost, &expected);
}

int mitosis_resume_report(const struct mitosis_attachment *attachment, char *text,
			  size_t size)
{
	const struct restore_plan *plan = attachment ? NULL : own_plan();

	if (size)
		*text = '\0';
	if (attachment)
		return report_of_attachment(attachment, text, size);
	if (!plan)
		return fail(-ENOENT,
			    "this process is not a child of a snapshot, and "
			    "has no report of what it lacks");
	return write_report(text, size, plan->lost, &plan->told);
}
