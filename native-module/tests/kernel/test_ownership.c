// SPDX-License-Identifier: Apache-2.0
/*
 * Ownership of snapshots: every kind of owner with every kind of caller. Who may become
 * it, drop it and make its token is the table of SECURITY.md; with a token every
 * caller may become it. Children carry no_new_privs and undumpable memory, and get
 * no_new_privs where exec would give them what the owner could not get, and map no file that
 * takes a capability of their caller's alone, nor one in a directory that the caller has open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kernel/callers.h"

#define ID		 61
#define CHILD		 100 /* exit status of a child, plus those below */
#define CHILD_CONFINED	 1   /* it has no_new_privs */
#define CHILD_UNDUMPABLE 2
#define CHILD_MAPS	 4 /* the file of be_reader() */
#define PAGE		 4096
#define LARGE		 (3L << 30)

struct kind {
	const char *name;
	enum who owner;
	bool undumpable, no_new_privs;
	/* ONE() of those who may, without a token. Others of the owner's user get EPERM. */
	unsigned int become;
	unsigned int drop;
};

#define ROOTS (ONE(ROOT) | ONE(BARE_ROOT) | ONE(SETUID))
#define USERS (ONE(A_USER) | ONE(ITS_GROUP) | ONE(NS_ROOT))

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
} * shared;

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
static void be_owner(void *argument)
{
	const struct kind *kind = argument;
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
}

static pid_t start_owner(const struct kind *kind)
{
	return start_waiting(be_owner, (void *)kind);
}

enum deed { BECOME, BECOME_BY_TOKEN, MAKE_TOKEN, REVOKE, DROP };

/* Returns the exit status of the caller: an errno, or its child's. */
static int attempt(enum who who, enum deed deed, uid_t owner)
{
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
	return exit_of(pid);
}

static int failures;

static void expect(const struct kind *kind, enum who who, const char *deed, int got,
		   int wanted)
{
	if (got == wanted)
		return;
	printf("%s snapshot: %s by %s gave %d, not %d\n", kind->name, deed,
	       caller_names[who], got, wanted);
	failures++;
}

/* The exit status of a child that this caller becomes. */
static int status_of_child(const struct kind *kind, enum who who)
{
	/* Each process has a user namespace of its own. */
	bool foreign = kind->owner == NS_ROOT;
	bool root_instead = user_of(kind->owner) && ROOTS & ONE(who);

	return CHILD +
	       (kind->no_new_privs || foreign || root_instead ? CHILD_CONFINED : 0) +
	       (kind->undumpable ? CHILD_UNDUMPABLE : 0);
}

static void check_kind(const struct kind *kind)
{
	const uid_t user = user_of(kind->owner);
	pid_t owner = start_owner(kind);
	enum who who;

	for (who = 0; who < WHO_COUNT; who++) {
		bool may = kind->become & ONE(who);
		int no = user_of(who) == user ? EPERM : ENOENT;
		int child = status_of_child(kind, who);

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
	return exit_of(pid);
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

static void filter_system_calls(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &code };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void be_filtered_owner(void *unused)
{
	pid_t self = getpid();
	int fd = open_device();

	(void)unused;
	filter_system_calls();
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_PREPARE, ID)), 0);
	if (getpid() != self)
		_exit(child_status());
}

/* Its children would lose a seccomp filter: not even its owner may become one. */
static void filters_are_not_lost(void)
{
	pid_t owner = start_waiting(be_filtered_owner, NULL);

	CHECK_EQ(attempt(ROOT, BECOME, 0), EOPNOTSUPP);
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
}

static char others_file[] = "/tmp/mitosis-others-XXXXXX";

static bool maps_have(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, name) != NULL;
	fclose(maps);
	return found;
}

/* Maps a file that its capabilities open, then has none. */
static void be_reader(void *unused)
{
	int file = open(others_file, O_RDONLY | O_CLOEXEC);
	pid_t self = getpid();
	int fd;

	(void)unused;
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0) != MAP_FAILED);
	close(file);
	be(BARE_ROOT);
	fd = open_device();
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_PREPARE, ID)), 0);
	if (getpid() != self)
		_exit(CHILD + (maps_have(others_file) ? CHILD_MAPS : 0));
}

static int become_remotely(void)
{
	const struct mitosis_remote_req name = { module_parameter("machine_id"),
						 ID };
	const struct mitosis_connect_req own = {
		name.machine_id, 0, getenv("MITOSIS_TEST_MODULE_ADDRESS")
	};
	pid_t pid;
	int fd;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fd = open_device();
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &own)), 0);
		_exit(error_of(ioctl(fd, MITOSIS_RESUME_REMOTE, &name)));
	}
	return exit_of(pid);
}

/*
 * The file is opened by no capability of the caller's that the parent had not, and whatever its
 * size.
 */
static void files_of_others_stay_closed(void)
{
	int file = mkstemp(others_file);
	pid_t owner;

	if (!getenv("MITOSIS_TEST_MODULE_ADDRESS")) {
		puts("files left out: need MITOSIS_TEST_MODULE_ADDRESS");
		return;
	}
	CHECK(file >= 0 && !fchown(file, OTHER, OTHER) && !ftruncate(file, LARGE));
	owner = start_waiting(be_reader, NULL);
	CHECK_EQ(become_remotely(), CHILD);
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
	CHECK(!fchown(file, 0, 0));
	owner = start_waiting(be_reader, NULL);
	CHECK_EQ(become_remotely(), CHILD + CHILD_MAPS);
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
	CHECK(!unlink(others_file) && !close(file));
}

/* In a parent's root directory it is a directory, and what its child's caller has open. */
#define FOLDER_FD   77
#define CALLERS_DIR "/proc/self/fd/77"

static char chroot_path[] = "/tmp/mitosis-root-XXXXXX";

static void be_liar(void *unused)
{
	pid_t self = getpid();
	int fd = open_device(), file;

	(void)unused;
	CHECK(!chroot(chroot_path));
	file = open(CALLERS_DIR "/file", O_RDONLY | O_CLOEXEC);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0) != MAP_FAILED);
	close(file);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_PREPARE, ID)), 0);
	if (getpid() != self)
		_exit(CHILD + (maps_have(CALLERS_DIR) ? CHILD_MAPS : 0));
}

/* By its path a parent names a file in a directory that its child's caller has open. */
static void open_directories_are_not_followed(void)
{
	static const char *const folders[] = { "/proc", "/proc/self",
					       "/proc/self/fd", CALLERS_DIR };
	char path[128];
	pid_t owner;
	int i, fd;

	if (!getenv("MITOSIS_TEST_MODULE_ADDRESS"))
		return; /* as files_of_others_stay_closed() has said */
	CHECK(mkdtemp(chroot_path));
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", chroot_path, folders[i]);
		CHECK(!mkdir(path, 0755));
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0 && dup2(fd, FOLDER_FD) == FOLDER_FD);
	close(fd);
	fd = openat(FOLDER_FD, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && !ftruncate(fd, PAGE));
	close(fd);
	owner = start_waiting(be_liar, NULL);
	CHECK_EQ(become_remotely(), CHILD);
	CHECK(!kill(owner, SIGKILL));
	status_within(owner, PATIENT_MS);
	CHECK(!unlinkat(FOLDER_FD, "file", 0));
	close(FOLDER_FD);
	for (i = 3; i >= 0; i--) {
		snprintf(path, sizeof(path), "%s%s", chroot_path, folders[i]);
		CHECK(!rmdir(path));
	}
	CHECK(!rmdir(chroot_path));
}

int main(void)
{
	size_t i;

	permit_all_callers();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		check_kind(&kinds[i]);
	tokens_end();
	filters_are_not_lost();
	files_of_others_stay_closed();
	open_directories_are_not_followed();
	restore_permissions();
	return failures ? 1 : 0;
}
