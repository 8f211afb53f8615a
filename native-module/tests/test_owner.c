// SPDX-License-Identifier: Apache-2.0
/*
 * Who may become, read, list and drop a snapshot of the user backend: every kind of owner
 * with every kind of caller, as the table of SECURITY.md says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kernel/callers.h"

#define ID    61
#define CHILD 100 /* exit status of a child; others are an errno */

/* Bits of a caller's exit status: what it could do, beside become. */
#define LISTED 1
#define READ   2
#define DONE   64 /* it has tried */

struct kind {
	enum who owner;
	unsigned int become; /* ONE() of those who may become and read it */
	unsigned int manage; /* and list and drop it */
};

/* A setuid program gets no device: access(2) asks for its real user's rights. */
#define ROOTS (ONE(ROOT) | ONE(BARE_ROOT))
#define USERS (ONE(A_USER) | ONE(ITS_GROUP) | ONE(NS_ROOT))

static const struct kind kinds[] = {
	{ ROOT, ONE(ROOT), ROOTS },
	{ BARE_ROOT, ONE(ROOT) | ONE(BARE_ROOT), ROOTS },
	/* Root without capabilities does not get into another user's directory. */
	{ A_USER, ONE(A_USER), USERS | ONE(ROOT) },
	{ ITS_GROUP, ONE(ITS_GROUP), USERS | ONE(ROOT) },
	{ ANOTHER, ONE(ANOTHER), ONE(ANOTHER) | ONE(ROOT) },
};

static uint64_t secret = 0x5ec7e7;
static int failures;

static void be_owner(void *kind)
{
	pid_t self = getpid();
	struct mitosis *device;

	be(((const struct kind *)kind)->owner);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(CHILD);
}

static pid_t start_owner(const struct kind *kind)
{
	return start_waiting(be_owner, (void *)kind);
}

enum deed { BECOME, LOOK, DROP };

static int look(struct mitosis *device)
{
	uint64_t word = 0;
	int done = DONE;

	if (find_snapshot(device, ID).handler_id == ID)
		done |= LISTED;
	if (!mitosis_read(device, ID, (uintptr_t)&secret, &word, sizeof(word)) &&
	    word == secret)
		done |= READ;
	return done;
}

static int attempt(enum who who, enum deed deed)
{
	const struct mitosis_resume_options clone = {
		.mode = MITOSIS_RESUME_CLONE,
		.prefetch_pages = 1,
	};
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct mitosis *device;
		int err;

		be(who);
		err = mitosis_open(MITOSIS_BACKEND_USER, &device);
		if (err)
			_exit(-err);
		if (deed == LOOK)
			_exit(look(device));
		if (deed == DROP)
			_exit(-mitosis_unprepare(device, ID));
		CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
		_exit(-mitosis_resume_local(device, ID));
	}
	return exit_of(pid);
}

static void expect(const struct kind *kind, enum who who, const char *deed, bool did,
		   bool may, int got)
{
	if (did == may)
		return;
	printf("the snapshot of %s: %s %s it (%d)\n", caller_names[kind->owner],
	       caller_names[who], deed, got);
	failures++;
}

static void check_kind(const struct kind *kind)
{
	pid_t owner = start_owner(kind);
	enum who who;
	int got;

	for (who = 0; who < WHO_COUNT; who++) {
		bool becomes = kind->become & ONE(who);

		got = attempt(who, BECOME);
		expect(kind, who, becomes ? "does not become" : "becomes",
		       got == CHILD, becomes, got);
		got = attempt(who, LOOK);
		expect(kind, who, becomes ? "does not read" : "reads",
		       got & DONE && got & READ, becomes, got);
		expect(kind, who, "lists, or does not list,",
		       got & DONE && got & LISTED, kind->manage & ONE(who), got);
	}
	for (who = 0; who < WHO_COUNT; who++) {
		bool may = kind->manage & ONE(who);

		got = attempt(who, DROP);
		expect(kind, who, may ? "does not drop" : "drops", got == 0, may,
		       got);
		if (got == 0) {
			CHECK(!kill(owner, SIGKILL));
			status_within(owner, PATIENT_MS);
			owner = start_owner(kind);
		}
	}
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
}

static void map_all_users(pid_t pid, const char *map)
{
	const char *all = "0 0 4294967295";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, map);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, all, strlen(all)) == (ssize_t)strlen(all));
	close(fd);
}

/*
 * Root of a namespace that has all users, as the initial one: by its ids and its map it is
 * root, and its capabilities count nothing here.
 */
static int look_from_namespace(void)
{
	int moved[2], mapped[2];
	char byte = 0;
	pid_t pid;

	CHECK(!pipe(moved) && !pipe(mapped));
	pid = fork();
	if (pid == 0) {
		struct mitosis *device;

		if (unshare(CLONE_NEWUSER))
			_exit(0);
		CHECK(write(moved[1], &byte, 1) == 1);
		CHECK(read(mapped[0], &byte, 1) == 1);
		CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), 0);
		_exit(look(device));
	}
	close(moved[1]);
	close(mapped[0]);
	if (read(moved[0], &byte, 1) == 1) {
		map_all_users(pid, "uid_map");
		map_all_users(pid, "gid_map");
		CHECK(write(mapped[1], &byte, 1) == 1);
	}
	close(moved[0]);
	close(mapped[1]);
	return exit_of(pid);
}

static void check_namespace_of_all(const struct kind *roots)
{
	pid_t owner = start_owner(roots);
	int got = look_from_namespace();

	if (got & READ) {
		printf("root of a namespace of all users reads root's snapshot\n");
		failures++;
	}
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
	if (!got)
		skip("the last part needs a user namespace");
	CHECK(failures || got == (DONE | LISTED));
}

/* Each user's own runtime directory: its mitosisd runs as that user. */
static void use_directory_of(enum who who)
{
	const char *base = getenv("MITOSIS_TEST_OWNER_DIR");
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/%d", base, user_of(who));
	CHECK(!mkdir(dir, 0700) || errno == EEXIST);
	CHECK(!chown(dir, user_of(who), user_of(who)));
	CHECK(!setenv("MITOSIS_RUNTIME_DIR", dir, 1));
}

static bool users_may_execute(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		be(A_USER);
		_exit(access(path, X_OK) ? 1 : 0);
	}
	return exit_of(pid) == 0;
}

int main(void)
{
	char base[256];
	size_t i;

	if (geteuid() != 0)
		skip("needs root, to be other users");
	if (!users_may_execute(getenv("MITOSIS_DAEMON")))
		skip("needs a mitosisd that other users may execute");
	/* Other users must get through what the runner has made for this test alone. */
	snprintf(base, sizeof(base), "%s", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(base, 0711) || errno == EEXIST);
	CHECK(!chmod(base, 0711));
	CHECK(!chmod(dirname(base), 0711) && !chmod(dirname(base), 0711));
	snprintf(base, sizeof(base), "%s/users", getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(!mkdir(base, 0711) && !chmod(base, 0711));
	CHECK(!setenv("MITOSIS_TEST_OWNER_DIR", base, 1));
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		use_directory_of(kinds[i].owner);
		check_kind(&kinds[i]);
	}
	if (failures)
		return 1;
	use_directory_of(ROOT);
	check_namespace_of_all(&kinds[0]);
	return failures ? 1 : 0;
}
