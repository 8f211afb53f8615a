// SPDX-License-Identifier: Apache-2.0
/*
 * Ownership of snapshots: every kind of owner with every kind of caller. Who may become
 * it, drop it and make its token is the table of SECURITY.md; with a token every
 * caller may become it. Children carry no_new_privs and undumpable memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID		 61
#define USER		 1000
#define OTHER		 1001
#define PATIENT_MS	 20000
#define CHILD		 100 /* exit status of a child, plus the two below */
#define CHILD_CONFINED	 1   /* it has no_new_privs */
#define CHILD_UNDUMPABLE 2

enum who {
	ROOT,	   /* with all capabilities */
	BARE_ROOT, /* user 0 without any */
	SETUID,	   /* a setuid program: started by USER, effective user 0 */
	A_USER,
	ITS_GROUP, /* USER with another group */
	ANOTHER,
	NS_ROOT, /* USER as root of a user namespace */
	WHO_COUNT,
};

static const char *const names[] = {
	"root",
	"root without capabilities",
	"a setuid program",
	"the user",
	"the user in another group",
	"another user",
	"root of a user namespace",
};

#define ONE(who) (1u << (who))

struct kind {
	const char *name;
	enum who owner;
	bool undumpable, no_new_privs;
	/* ONE() of those who may, without a token. Others of the owner's user get EPERM. */
	unsigned int become;
	unsigned int drop;
};

#define ROOTS	(ONE(ROOT) | ONE(BARE_ROOT) | ONE(SETUID))
#define USERS	(ONE(A_USER) | ONE(ITS_GROUP) | ONE(NS_ROOT))
#define TRACERS (ONE(ROOT) | ONE(SETUID))

static const struct kind kinds[] = {
	{ "root's", ROOT, false, false, ONE(ROOT), ROOTS },
	{ "root's undumpable", ROOT, true, false, ONE(ROOT), ROOTS },
	{ "root's without capabilities", BARE_ROOT, false, false,
	  ONE(ROOT) | ONE(BARE_ROOT), ROOTS },
	{ "a setuid program's", SETUID, false, false, ONE(SETUID), ROOTS },
	{ "the user's", A_USER, false, false, ONE(A_USER), USERS | TRACERS },
	{ "the user's undumpable", A_USER, true, false, 0, USERS | TRACERS },
	{ "the user's confined", A_USER, false, true, ONE(A_USER), USERS | TRACERS },
	{ "another user's", ANOTHER, false, false, ONE(ANOTHER),
	  ONE(ANOTHER) | TRACERS },
	/* Each process has a user namespace of its own. */
	{ "a namespace root's", NS_ROOT, false, false, 0, USERS | TRACERS },
};

static struct shared {
	struct mitosis_token token;
	volatile bool prepared;
} * shared;

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	CHECK(!syscall(SYS_capset, &header, none));
}

static void be_user(uid_t uid, gid_t gid)
{
	CHECK(!setgroups(0, NULL) && !setresgid(gid, gid, gid) &&
	      !setresuid(uid, uid, uid));
}

static void be(enum who who)
{
	switch (who) {
	case ROOT:
		break;
	case BARE_ROOT:
		drop_capabilities();
		break;
	case SETUID:
		CHECK(!setresuid(USER, 0, 0));
		break;
	case A_USER:
		be_user(USER, USER);
		break;
	case ITS_GROUP:
		be_user(USER, OTHER);
		break;
	case ANOTHER:
		be_user(OTHER, OTHER);
		break;
	case NS_ROOT:
		be_user(USER, USER);
		CHECK(!unshare(CLONE_NEWUSER));
		break;
	default:
		CHECK(false);
	}
	/* A change of ids made it undumpable; exec(2) would undo that. */
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
}

static int open_device(void)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("needs the kernel module, as tests/qemu/run has it");
	CHECK(fd >= 0);
	return fd;
}

static int error_of(int result)
{
	return result < 0 ? errno : 0;
}

static uid_t user_of(enum who who)
{
	return who == ANOTHER					     ? OTHER
	       : who == A_USER || who == ITS_GROUP || who == NS_ROOT ? USER
								     : 0;
}

/* By its own means, or, for a snapshot of another user, those of a privileged caller. */
static int drop(int fd, uid_t user, enum who who)
{
	const struct mitosis_snapshot_of of = { .owner_uid = user,
						.handler_id = ID };

	return user == user_of(who)
		       ? error_of(ioctl(fd, MITOSIS_IOC_UNPREPARE, &of.handler_id))
		       : error_of(ioctl(fd, MITOSIS_IOC_UNPREPARE_OF, &of));
}

static int child_status(void)
{
	return CHILD +
	       (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ? CHILD_CONFINED : 0) +
	       (prctl(PR_GET_DUMPABLE) == 1 ? 0 : CHILD_UNDUMPABLE);
}

/* Prepares and makes a token. Its children exit with child_status(). */
static pid_t start_owner(const struct kind *kind)
{
	pid_t pid;

	shared->prepared = false;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid();
		int fd;

		be(kind->owner);
		if (kind->no_new_privs)
			CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (kind->undumpable)
			CHECK(!prctl(PR_SET_DUMPABLE, 0));
		fd = open_device();
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_PREPARE, ID)), 0);
		if (getpid() != self)
			_exit(child_status());
		shared->token = (struct mitosis_token){ .handler_id = ID };
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_TOKEN, &shared->token)), 0);
		shared->prepared = true;
		for (;;)
			pause();
	}
	CHECK_SOON(shared->prepared, PATIENT_MS);
	return pid;
}

enum deed { BECOME, BECOME_BY_TOKEN, MAKE_TOKEN, REVOKE, DROP };

/* Returns the exit status of the caller: an errno, or its child's. */
static int attempt(enum who who, enum deed deed, uid_t owner)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		uint32_t id = ID;
		int fd;

		be(who);
		fd = open_device();
		if (deed == BECOME_BY_TOKEN)
			CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_PRESENT,
						&shared->token)),
				 0);
		if (deed == DROP)
			_exit(drop(fd, owner, who));
		if (deed == MAKE_TOKEN)
			_exit(error_of(
				ioctl(fd, MITOSIS_IOC_TOKEN, &shared->token)));
		if (deed == REVOKE)
			_exit(error_of(ioctl(fd, MITOSIS_IOC_REVOKE, &id)));
		_exit(error_of(ioctl(fd, MITOSIS_RESUME_LOCAL, ID)));
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int failures;

static void expect(const struct kind *kind, enum who who, const char *deed, int got,
		   int wanted)
{
	if (got == wanted)
		return;
	printf("%s snapshot: %s by %s gave %d, not %d\n", kind->name, deed,
	       names[who], got, wanted);
	failures++;
}

static void check_kind(const struct kind *kind)
{
	const int child = CHILD + (kind->no_new_privs ? CHILD_CONFINED : 0) +
			  (kind->undumpable ? CHILD_UNDUMPABLE : 0);
	const uid_t user = user_of(kind->owner);
	pid_t owner = start_owner(kind);
	enum who who;

	for (who = 0; who < WHO_COUNT; who++) {
		bool may = kind->become & ONE(who);
		int no = user_of(who) == user ? EPERM : ENOENT;

		expect(kind, who, "becoming", attempt(who, BECOME, user),
		       may ? child : no);
		shared->token.expires_s = 0;
		expect(kind, who, "making a token", attempt(who, MAKE_TOKEN, user),
		       may ? 0 : no);
		expect(kind, who, "becoming by token",
		       attempt(who, BECOME_BY_TOKEN, user), child);
	}
	for (who = 0; who < WHO_COUNT; who++) {
		bool may = kind->drop & ONE(who);

		/* No other user is mapped in the namespace of NS_ROOT. */
		expect(kind, who, "dropping", attempt(who, DROP, user),
		       may		? 0
		       : who == NS_ROOT ? ENOENT
					: EPERM);
		if (may) {
			CHECK(!kill(owner, SIGKILL));
			status_within(owner, PATIENT_MS);
			owner = start_owner(kind);
		}
	}
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
}

static int become_with(const struct mitosis_token *token, bool revoke, int wait_ms)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open_device(), err;
		uint32_t id = ID;

		err = error_of(ioctl(fd, MITOSIS_IOC_PRESENT, token));
		if (err)
			_exit(err);
		sleep_ms(wait_ms);
		if (revoke)
			CHECK_EQ(attempt(A_USER, REVOKE, USER), 0);
		be(ANOTHER);
		/* The right to revoke is the caller's, not the file's. */
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_REVOKE, &id)), ENOENT);
		_exit(error_of(ioctl(fd, MITOSIS_RESUME_LOCAL, ID)));
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct mitosis_token token_for(uint32_t seconds)
{
	shared->token = (struct mitosis_token){
		.handler_id = ID,
		.expires_s = seconds,
	};
	CHECK_EQ(attempt(A_USER, MAKE_TOKEN, USER), 0);
	return shared->token;
}

/* Tokens end by themselves, and all at once when they are revoked. */
static void tokens_end(void)
{
	static const struct kind kind = { .owner = A_USER };
	struct mitosis_token lasting, brief, long_lived;
	pid_t owner = start_owner(&kind);

	lasting = shared->token;
	CHECK_EQ(lasting.expires_s, 0);
	long_lived = token_for(3600);
	CHECK(long_lived.expires_s >= 3600);
	brief = token_for(2);
	CHECK_EQ(become_with(&brief, false, 3000), EKEYEXPIRED);
	CHECK_EQ(become_with(&brief, false, 0), EKEYEXPIRED);
	brief.expires_s += 1000;
	CHECK_EQ(become_with(&brief, false, 0), EACCES);
	CHECK_EQ(become_with(&long_lived, false, 0), CHILD);
	CHECK_EQ(become_with(&lasting, true, 0), EKEYREVOKED);
	CHECK_EQ(become_with(&lasting, false, 0), EACCES);
	CHECK_EQ(become_with(&long_lived, false, 0), EACCES);
	lasting = token_for(0);
	CHECK_EQ(become_with(&lasting, false, 0), CHILD);
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
}

static const enum who three[] = { ROOT, A_USER, ANOTHER };
#define THREE (sizeof(three) / sizeof(*three))

/* The address at which the module serves this machine to itself; NULL: none. */
static const char *own_address(void)
{
	return getenv("MITOSIS_TEST_MODULE_ADDRESS");
}

static unsigned int own_machine(void)
{
	unsigned int id = 0;
	FILE *f = fopen("/sys/module/mitosis/parameters/machine_id", "r");

	CHECK(f && fscanf(f, "%u", &id) == 1);
	fclose(f);
	return id;
}

/* Becomes what the handler id means to it; a child exits with CHILD and its owner. */
static int owner_seen_by(enum who who, bool remote)
{
	const struct mitosis_remote_req request = { own_machine(), ID };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd;

		be(who);
		fd = open_device();
		_exit(error_of(remote ? ioctl(fd, MITOSIS_RESUME_REMOTE, &request)
				      : ioctl(fd, MITOSIS_RESUME_LOCAL, ID)));
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status) - CHILD;
}

/* What `who` sees listed by the two ways: 10 * its own + those of all users. */
static int listed_by(enum who who)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct mitosis_owned_snapshot of = { 0 };
		struct mitosis_snapshot own = { 0 };
		int fd, n = 0;

		be(who);
		fd = open_device();
		for (; !ioctl(fd, MITOSIS_IOC_NEXT, &own); own.handler_id++)
			n += 10;
		for (; !ioctl(fd, MITOSIS_IOC_NEXT_OF, &of);
		     of.snapshot.handler_id++) {
			CHECK_EQ(of.reserved, 0);
			n++;
		}
		_exit(n);
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int drop_all(enum who who, uint32_t uid)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int n;

		be(who);
		n = ioctl(open_device(), MITOSIS_IOC_UNPREPARE_ALL, &uid);
		_exit(n < 0 ? errno + 100 : n);
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void ids_are_each_users(void)
{
	const struct mitosis_connect_req connect = { own_machine(), 0,
						     own_address() };
	int fd = open_device();
	size_t i;

	for (i = 0; i < THREE; i++) {
		pid_t pid;
		int status;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			pid_t self = getpid();
			enum who owner = three[i];

			be(owner);
			CHECK_EQ(error_of(ioctl(open_device(),
						MITOSIS_PREPARE_PINNED, ID)),
				 0);
			_exit(getpid() == self ? 0 : CHILD + (int)owner);
		}
		status = status_within(pid, PATIENT_MS);
		CHECK_EQ(status, 0);
	}
	if (own_address())
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	for (i = 0; i < THREE; i++) {
		CHECK_EQ(owner_seen_by(three[i], false), three[i]);
		if (own_address())
			CHECK_EQ(owner_seen_by(three[i], true), three[i]);
		CHECK_EQ(listed_by(three[i]), three[i] == ROOT ? 13 : 10);
	}
	/* Not root's, though it has the same id. */
	CHECK_EQ(owner_seen_by(BARE_ROOT, false), EPERM - CHILD);
	CHECK_EQ(drop_all(A_USER, OTHER), 100 + EPERM);
	CHECK_EQ(drop_all(A_USER, MITOSIS_ALL_USERS), 100 + EPERM);
	CHECK_EQ(drop_all(NS_ROOT, MITOSIS_ALL_USERS), 100 + EPERM);
	CHECK_EQ(drop_all(A_USER, USER), 1);
	CHECK_EQ(owner_seen_by(A_USER, false), ENOENT - CHILD);
	CHECK_EQ(listed_by(ROOT), 12);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 2);
	CHECK_EQ(listed_by(ROOT), 0);
	close(fd);
}

/* Which callers may set the address of a machine; each network namespace has its own sessions. */
static void connecting(void)
{
	const struct mitosis_connect_req connect = { own_machine(), 0,
						     own_address() };
	const struct mitosis_remote_req nil = { own_machine(), 0 };
	int fd = open_device(), status;
	enum who who;
	pid_t pid;

	if (!own_address()) {
		puts("connecting left out: needs MITOSIS_TEST_MODULE_ADDRESS");
		return;
	}
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	for (who = 0; who < WHO_COUNT; who++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			be(who);
			_exit(error_of(
				ioctl(open_device(), MITOSIS_CONNECT, &connect)));
		}
		status = status_within(pid, PATIENT_MS);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), ONE(who) & TRACERS ? 0 : EPERM);
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		CHECK(!unshare(CLONE_NEWNET));
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_NIL_RPC, &nil)), ENOTCONN);
		/* Its loopback is down: nothing reaches the first one's. */
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)),
			 ENETUNREACH);
		_exit(0);
	}
	status = status_within(pid, PATIENT_MS);
	CHECK_EQ(status, 0);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_NIL_RPC, &nil)), 0);
	close(fd);
}

static void set_parameter(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/mitosis/parameters/%s", name);
	f = fopen(path, "w");
	CHECK(f && fputs(value, f) >= 0 && !fclose(f));
}

/* As a user: the errno of the last of `count` pinned prepares, 0 if all went well. */
static int prepare_many(enum who who, int count, size_t memory)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int i, err = 0;
		char *pages;

		be(who);
		pages = mmap(NULL, memory + 1, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		CHECK(pages != MAP_FAILED);
		for (i = 0; i < count && !err; i++)
			err = error_of(
				ioctl(open_device(), MITOSIS_PREPARE_PINNED, i));
		CHECK(!err || i == count);
		_exit(err);
	}
	status = status_within(pid, PATIENT_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A user cannot pin more snapshots, nor more memory, than is its share. */
static void shares(void)
{
	/* 0.7 percent of the memory */
	const size_t part =
		sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 1000 * 7;

	set_parameter("snapshots_per_user", "3");
	CHECK_EQ(prepare_many(A_USER, 4, 0), EDQUOT);
	CHECK_EQ(prepare_many(ANOTHER, 3, 0), 0);
	CHECK_EQ(prepare_many(ROOT, 5, 0), 0);
	CHECK_EQ(drop_all(A_USER, USER), 3);
	CHECK_EQ(prepare_many(A_USER, 3, 0), 0);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 11);
	set_parameter("snapshots_per_user", "256");
	set_parameter("snapshot_percent_per_user", "1");
	CHECK_EQ(prepare_many(A_USER, 2, part), ENOSPC);
	CHECK_EQ(drop_all(A_USER, USER), 1);
	CHECK_EQ(prepare_many(ROOT, 2, part), 0);
	set_parameter("snapshot_percent_per_user", "25");
	CHECK_EQ(prepare_many(A_USER, 2, part), 0);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 4);
}

int main(void)
{
	struct stat st;
	size_t i;

	close(open_device());
	if (getuid() != 0)
		skip("needs root");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	CHECK(!stat(MITOSIS_DEVICE_PATH, &st));
	CHECK(!chmod(MITOSIS_DEVICE_PATH, 0666));
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		check_kind(&kinds[i]);
	tokens_end();
	ids_are_each_users();
	connecting();
	shares();
	CHECK(!chmod(MITOSIS_DEVICE_PATH, st.st_mode & 07777));
	return failures ? 1 : 0;
}
