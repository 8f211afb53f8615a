// SPDX-License-Identifier: Apache-2.0
/*
 * MITOSIS_REPLICA_FILL: what a replica has before its children ask for it. Pages that come from
 * the other machine are counted by this machine's mitosisd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "local/clock.h"
#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/replica_child.h"

#define FAR_PAGES   8192 /* which no child reads: what a fill takes a while for */
#define DEADLINE_MS "700"

/* The children's machine is one of its own, whose mitosisd has this setting. */
static void set_fill(const char *fill, const char *mib, uint32_t machine_id)
{
	char dir[160], id[16];

	snprintf(dir, sizeof(dir), "%s-%s-%u", getenv("MITOSIS_RUNTIME_DIR"), fill,
		 machine_id);
	snprintf(id, sizeof(id), "%u", machine_id);
	setenv("MITOSIS_RUNTIME_DIR", dir, 1);
	setenv("MITOSIS_MACHINE_ID", id, 1);
	setenv("MITOSIS_REPLICA_FILL", fill, 1);
	if (mib)
		setenv("MITOSIS_REPLICA_MIB", mib, 1);
}

#define RECORDING_MS 200 /* of a child that stays */

/* A child whose first touches are recorded, before there is a replica; it stays. */
static struct held recorded_child(uint32_t id)
{
	struct held h = { .running = start_in(id, MITOSIS_RESUME_LAZY) };

	h.pid = h.running.proxy;
	tell(&h.running, 'w');
	return h;
}

static void await_recording(void)
{
	sleep_ms(RECORDING_MS + 20);
}

static void fill_all(void)
{
	struct mitosis *there = prepare(1, 10);
	struct held child;

	set_fill("all", NULL, 111);
	child = hold(1);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(pages_come() >= PAGES);
	CHECK_EQ(read_all(1), 0);
	release(&child);
	drop(there, 1);
}

static void fill_off(void)
{
	struct mitosis *there = prepare(2, 20);
	struct held first, child;

	set_fill("off", NULL, 112);
	first = recorded_child(2);
	await_recording();
	child = hold(2);
	CHECK(!fills());
	CHECK(read_all(2) >= PAGES / 4 * 3);
	release(&child);
	release(&first);
	drop(there, 2);
}

/*
 * A snapshot with a recording of a whole half. On a busy machine a child may take longer for it than it is recorded:
 * then with another snapshot.
 */
static struct mitosis *prepare_recorded(uint32_t id, char content,
					struct held *first)
{
	for (;;) {
		struct mitosis *there = prepare(id, content);
		int64_t began_ms;

		set_fill("recorded", NULL, 113);
		began_ms = now_ms();
		*first = recorded_child(id);
		if (now_ms() - began_ms < RECORDING_MS) {
			await_recording();
			return there;
		}
		release(first);
		drop(there, id);
	}
}

/* What a lazy child has touched first is there before a child of the replica needs it. */
static void fill_recorded(void)
{
	struct held first, child;
	struct mitosis *there = prepare_recorded(3, 30, &first);
	struct running next;
	uint64_t before;

	child = hold(3);
	/* Half of it is the child's that stays. */
	CHECK_SOON(pss_of(replica()) > PAGES / 6 * PAGE, PATIENCE_MS);
	CHECK(!fills());
	before = pages_come();
	next = start(3);
	tell(&next, 'e');
	CHECK_EQ(end_of(&next), 7 << 8);
	CHECK_EQ(pages_come(), before);
	CHECK(read_all(3) >= PAGES / 4);
	release(&child);
	release(&first);
	drop(there, 3);
}

/* Of 1 MiB, a quarter is for what children fetch. */
static void limited(void)
{
	struct mitosis *there = prepare(4, 40);
	struct held child;
	uint64_t size;

	set_fill("all", "1", 114);
	child = hold(4);
	CHECK_SOON(!fills(), PATIENCE_MS);
	size = pss_of(replica());
	CHECK(size > (512u << 10) && size < (1280u << 10));
	CHECK(read_all(4) >= PAGES / 4);
	/* Children are right beyond the limit, too, which holds; what came for them does not come again. */
	CHECK_EQ(read_all(4), 0);
	CHECK(pss_of(replica()) < (1280u << 10));
	release(&child);
	drop(there, 4);
}

/* Pages of a half that a replica has. */
static int pages_of(pid_t replica, int half)
{
	char path[64], byte;
	int fd, i, count = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", replica);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	for (i = half * PAGES / 2; i < (half + 1) * PAGES / 2; i++)
		count += pread(fd, &byte, 1, (uintptr_t)(memory + i * PAGE)) == 1;
	close(fd);
	return count;
}

/* What a child in another mode has asked for last is there at the limit; what was before, is not. */
static void recent_first(void)
{
	struct mitosis *there = prepare(9, 90);
	struct held first, child;
	struct running reader;

	set_fill("all", "1", 120);
	/* Its recording, which has none of these pages, is over. */
	first.running = start_in(9, MITOSIS_RESUME_LAZY);
	first.pid = first.running.proxy;
	tell(&first.running, 'p');
	await_recording();
	reader = start_in(9, MITOSIS_RESUME_LAZY);
	tell_all(&reader);
	child = hold(9);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(pages_of(replica(), 1) > PAGES / 8);
	CHECK(pages_of(replica(), 0) < PAGES / 16);
	release(&child);
	release(&first);
	drop(there, 9);
}

static void limited_to_nothing(void)
{
	struct mitosis *there = prepare(5, 50);
	struct held child;

	set_fill("all", "0", 115);
	child = hold(5);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(read_all(5) >= PAGES / 4 * 3);
	release(&child);
	drop(there, 5);
}

/* Of a parent with much memory. */
static struct mitosis *prepare_much(uint32_t id, char content)
{
	char *much = mmap(NULL, FAR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(much != MAP_FAILED);
	memset(much, content, FAR_PAGES * PAGE);
	return prepare(id, content);
}

/*
 * It ends with its snapshot, while a child stays; and another snapshot of that handler id has
 * a fill of its own.
 */
static void dropped(void)
{
	struct mitosis *there = prepare_much(6, 60);
	struct held child, other;
	uint64_t early;

	set_fill("all", NULL, 116);
	child = hold(6);
	CHECK_EQ(mitosis_unprepare(there, 6), 0);
	early = pages_come();
	mitosis_close(there);
	CHECK_SOON(!fills(), PATIENCE_MS);
	/* Else it had come far before. */
	if (early < FAR_PAGES / 2)
		CHECK(pages_come() < FAR_PAGES / 4 * 3);

	there = prepare(6, 61);
	set_fill("all", NULL, 116); /* prepare() has left it */
	other = hold(6);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK_EQ(read_all(6), 0);
	release(&other);
	release(&child);
	drop(there, 6);
}

/* A machine that answers no more within the deadline: the fill ends, the child stays. */
static void lost(void)
{
	struct mitosis *there = prepare_much(7, 70);
	struct held child;
	pid_t shadow;

	CHECK_SOON((shadow = find_process("mitosis-shadow", getpid())), PATIENCE_MS);
	setenv("MITOSIS_DEADLINE_MS", DEADLINE_MS, 1);
	set_fill("all", NULL, 117);
	child = hold(7);
	kill(shadow, SIGSTOP);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(alive(child.pid));
	kill(shadow, SIGKILL);
	CHECK_SOON(!alive(child.pid), PATIENCE_MS);
	CHECK(end_of(&child.running) != 0);
	check_nothing_left();
	mitosis_unprepare(there, 7);
	mitosis_close(there);
}

/* A replica that is made again is filled again. */
static void killed(void)
{
	struct mitosis *there = prepare(8, 80);
	struct held child, other;
	uint64_t before;
	pid_t first;

	set_fill("all", NULL, 118);
	child = hold(8);
	CHECK_SOON(!fills(), PATIENCE_MS);
	first = replica();
	CHECK(first > 0);
	kill(first, SIGKILL);
	CHECK_SOON(!replica(), PATIENCE_MS);
	before = pages_come();
	other = hold(8);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(pages_come() - before >= PAGES);
	CHECK_EQ(read_all(8), 0);
	release(&other);
	release(&child);
	drop(there, 8);
}

static void bad_setting(void)
{
	struct mitosis *device;

	set_fill("some", NULL, 119);
	CHECK(mitosis_open(MITOSIS_BACKEND_USER, &device) < 0);
	check_error_has(
		"MITOSIS_REPLICA_FILL must be off, recorded or all, got 'some'");
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "all", fill_all },
		{ "off", fill_off },
		{ "recorded", fill_recorded },
		{ "limited", limited },
		{ "recent first", recent_first },
		{ "limited to nothing", limited_to_nothing },
		{ "dropped", dropped },
		{ "lost", lost },
		{ "killed", killed },
		{ "bad setting", bad_setting },
	};
	int failed;

	need_userfaultfd();
	use_key("replica_fill");
	replica_children_begin();
	failed = run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
			   argc > 1 ? argv[1] : NULL);
	machine_stop(&machine);
	return failed;
}
