// SPDX-License-Identifier: Apache-2.0
/* A machine that answers wrongly: each lie has an errno and a message of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/user/auth_config.h"
#include "proto/user/connection.h"
#include "tests/harness.h"
#include "tests/machine.h"

/* What a machine may answer that is none, or none any more. */
enum lie {
	LIE_VERSION,
	LIE_MAGIC,
	LIE_OVERSIZED,
	LIE_TRUNCATED,
	LIE_SILENT,
	/* In a descriptor, after a handshake with the right key. */
	LIE_IMPOSSIBLE_VMA,
	LIE_UNKNOWN_CPU,    /* a feature that descriptors do not have */
	LIE_OTHER_CPU,	    /* all features that CPUs can have, which no CPU has */
	LIE_UNKNOWN_RIGHTS, /* the machine does not know what the parent has */
	LIES,
};

struct impostor {
	pid_t pid;
	char address[64];
};

/* The descriptor of snapshot 9 of a machine, as it comes over the network. */
static void *fetch_descriptor(const struct machine *m, uint32_t *size)
{
	const struct wire_open request = { .handler_id = 9 };
	struct wire_rights rights;
	struct sockaddr_in6 where = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(m->port),
	};
	struct wire_connection c;
	struct auth auth;
	char message[256];
	void *bytes;

	CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &where.sin6_addr) == 1);
	CHECK_EQ(auth_configure(&auth, message, sizeof(message)), 0);
	CHECK_EQ(wire_connect(&c, &where, &auth), 0);
	CHECK_EQ(wire_send(&c, WIRE_OPEN, &request, sizeof(request)), 0);
	CHECK_EQ(wire_receive_rights(&c, &rights), 0);
	CHECK_EQ(wire_receive_answer(&c, size), 0);
	bytes = malloc(*size);
	CHECK(bytes && !wire_receive(&c, bytes, *size));
	wire_close(&c);
	return bytes;
}

static void tell(int fd, const struct wire_header *header, const void *body,
		 size_t size)
{
	if (send(fd, header, sizeof(*header), MSG_NOSIGNAL) < 0 ||
	    (size && send(fd, body, size, MSG_NOSIGNAL) < 0))
		_exit(0);
}

/* One connection to an impostor. */
static void __attribute__((noreturn))
lie_to(int fd, enum lie lie, const void *descriptor, uint32_t size)
{
	struct {
		struct wire_header header;
		struct wire_hello hello;
	} first;
	struct {
		struct wire_header header;
		struct wire_proof proof;
	} second;
	struct wire_connection c = { .fd = fd };
	struct handshake shake = { 0 };
	struct wire_header h =
		wire_header(WIRE_CHALLENGE, 0, sizeof(shake.challenge));
	const struct wire_rights rights = {
		.has.flags = lie == LIE_UNKNOWN_RIGHTS ? 0 : RIGHTS_KNOWN,
	};
	struct auth auth;
	char message[256], rest[64];

	/* An impostor's connections end with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60);
	CHECK_EQ(auth_configure(&auth, message, sizeof(message)), 0);
	auth.machine_id = 2;
	if (wire_receive(&c, &first, sizeof(first)))
		_exit(0);
	shake.hello = first.hello;
	CHECK_EQ(auth_challenge(&auth, &shake), 0);
	h.version += lie == LIE_VERSION;
	h.magic += lie == LIE_MAGIC;
	h.length = lie == LIE_OVERSIZED ? 0x7fffffff : h.length;
	if (lie != LIE_SILENT)
		tell(fd, &h, &shake.challenge,
		     lie == LIE_TRUNCATED ? 20 : sizeof(shake.challenge));
	if (lie >= LIE_IMPOSSIBLE_VMA &&
	    !wire_receive(&c, &second, sizeof(second))) {
		CHECK_EQ(auth_check(&auth, &shake, &second.proof), 0);
		h = wire_header(WIRE_ANSWER, 0, 0);
		tell(fd, &h, NULL, 0);
		if (recv(fd, rest, sizeof(rest), 0) <= 0)
			_exit(0);
		h = wire_header(WIRE_RIGHTS, 0, sizeof(rights));
		tell(fd, &h, &rights, sizeof(rights));
		h = wire_header(WIRE_ANSWER, 0, size);
		tell(fd, &h, descriptor, size);
		/* A valid one is told to a child once the machine admits it. */
		h.length = 0;
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			tell(fd, &h, NULL, 0);
	}
	if (lie != LIE_TRUNCATED)
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			;
	_exit(0);
}

static struct impostor impostor_start(enum lie lie, const void *descriptor,
				      uint32_t size)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int fd, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct impostor i;

	CHECK(!bind(listener, (struct sockaddr *)&address, length));
	CHECK(!listen(listener, 8));
	CHECK(!getsockname(listener, (struct sockaddr *)&address, &length));
	snprintf(i.address, sizeof(i.address), "tcp://127.0.0.1:%u",
		 ntohs(address.sin_port));
	fflush(stdout);
	i.pid = fork();
	CHECK(i.pid >= 0);
	if (i.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		while ((fd = accept(listener, NULL, NULL)) >= 0) {
			if (fork() == 0)
				lie_to(fd, lie, descriptor, size);
			close(fd);
		}
		_exit(1);
	}
	close(listener);
	return i;
}

static void impostor_stop(const struct impostor *i)
{
	kill(i->pid, SIGKILL);
	CHECK(waitpid(i->pid, NULL, 0) == i->pid);
}

/* A copy of a descriptor, with the lie; free() it. */
static void *falsify(const struct descriptor_header *descriptor, uint32_t size,
		     enum lie lie)
{
	struct descriptor_header *d = malloc(size);
	struct descriptor_vma *vma;

	CHECK(d);
	memcpy(d, descriptor, size);
	vma = (struct descriptor_vma *)descriptor_vmas(d);
	if (lie == LIE_IMPOSSIBLE_VMA) /* over the one behind it */
		vma->end = vma[1].start + sysconf(_SC_PAGESIZE);
	else if (lie == LIE_UNKNOWN_CPU)
		d->cpu_features[CPU_XSAVE_EAX] |= 1u << 31;
	else if (lie == LIE_OTHER_CPU)
		memcpy(d->cpu_features, cpu_feature_masks, sizeof(d->cpu_features));
	return d;
}

/*
 * A connection that takes another's place just before that one's end is told: mitosisd, which
 * is stopped meanwhile, sees both at once.
 */
static void check_replaced(struct mitosis *device, const void *descriptor,
			   uint32_t size, int err)
{
	struct impostor first = impostor_start(LIE_OTHER_CPU, descriptor, size);
	struct impostor second = impostor_start(LIE_OTHER_CPU, descriptor, size);
	pid_t connects, daemon = daemon_pid();
	int to[2], from[2];
	char byte;

	CHECK(daemon && !pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	CHECK_EQ(mitosis_connect(device, 2, first.address), 0);
	fflush(stdout);
	connects = fork();
	if (connects == 0) {
		struct mitosis *own = open_user();

		CHECK(write(from[1], "r", 1) == 1 && read(to[0], &byte, 1) == 1);
		_exit(mitosis_connect(own, 2, second.address) ? 1 : 0);
	}
	CHECK(read(from[0], &byte, 1) == 1);
	kill(daemon, SIGSTOP);
	CHECK(write(to[1], "g", 1) == 1);
	sleep_ms(100);
	impostor_stop(&first);
	sleep_ms(20);
	kill(daemon, SIGCONT);
	CHECK_EQ(status_within(connects, 20000), 0);
	CHECK_EQ(mitosis_resume_remote(device, 2, 9), err);
	impostor_stop(&second);
}

int main(void)
{
	static const struct {
		int err;
		const char *message;
	} told[LIES] = {
		[LIE_VERSION] = { -EPROTONOSUPPORT, "another version" },
		[LIE_MAGIC] = { -EPROTO, "is not mitosisd" },
		[LIE_OVERSIZED] = { -EMSGSIZE, "another length" },
		[LIE_TRUNCATED] = { -ECONNRESET, "closed the connection" },
		[LIE_SILENT] = { -ETIMEDOUT, "does not answer within" },
		[LIE_IMPOSSIBLE_VMA] = { -EBADMSG, "is not valid here" },
		[LIE_UNKNOWN_CPU] = { -EBADMSG, "is not valid here" },
		/* No CPU has the 4-way AVX-512 of Knights Mill and AMX. */
		[LIE_OTHER_CPU] = { -EPROTO, "avx512_4vnniw" },
		[LIE_UNKNOWN_RIGHTS] = { -EBADMSG, "is not valid here" },
	};
	struct machine m;
	struct mitosis *device, *local;
	struct descriptor_header *descriptor;
	struct impostor i;
	uint32_t size;
	void *descriptor_of_other;
	enum lie lie;

	/* test_sealed_session.c has the lies in records. */
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	use_key("lies");
	m = machine_start(2);
	local = open_user();
	machine_enter(&m);
	device = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	descriptor = fetch_descriptor(&m, &size);
	CHECK_EQ(descriptor_check(descriptor, size, sysconf(_SC_PAGESIZE)), 0);
	for (lie = 0; lie < LIES; lie++) {
		void *told_descriptor = falsify(descriptor, size, lie);

		i = impostor_start(lie, told_descriptor, size);
		free(told_descriptor);
		/* The others answer, however late on a loaded machine. */
		if (lie == LIE_SILENT)
			setenv("MITOSIS_DEADLINE_MS", "300", 1);
		if (lie >= LIE_IMPOSSIBLE_VMA) {
			CHECK_EQ(mitosis_connect(local, 2, i.address), 0);
			CHECK_EQ(mitosis_resume_remote(local, 2, 9), told[lie].err);
		} else {
			CHECK_EQ(mitosis_connect(local, 2, i.address),
				 told[lie].err);
			check_error_has(i.address);
		}
		check_error_has(told[lie].message);
		unsetenv("MITOSIS_DEADLINE_MS");
		impostor_stop(&i);
	}
	descriptor_of_other = falsify(descriptor, size, LIE_OTHER_CPU);
	check_replaced(local, descriptor_of_other, size, told[LIE_OTHER_CPU].err);
	free(descriptor_of_other);
	free(descriptor);
	mitosis_close(local);
	mitosis_close(device);
	machine_stop(&m);
	return 0;
}
