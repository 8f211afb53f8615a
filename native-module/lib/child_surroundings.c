// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/error.h"
#include "libmitosis.h"

/* Later than some headers. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define NS_PER_S 1000000000ll

uint64_t child_surroundings_flags(const struct child_surroundings *s)
{
	return CLONE_NEWNS | (s->own & MITOSIS_OWN_NETWORK ? CLONE_NEWNET : 0) |
	       (*s->host_name ? CLONE_NEWUTS : 0);
}

/* The loopback device of a new namespace is down. */
static int bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : 0;

	if (!err && ioctl(fd, SIOCGIFFLAGS, &request))
		err = -errno;
	request.ifr_flags |= IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &request))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int cannot(const struct child_surroundings *s, int err, const char *what)
{
	return fail(err, "a child of %s cannot have %s of its own: %s", s->what,
		    what, strerror(-err));
}

int child_surroundings_make(const struct child_surroundings *s)
{
	int err = s->own & MITOSIS_OWN_NETWORK ? bring_loopback_up() : 0;

	if (err)
		return cannot(s, err, "a network");
	if (*s->host_name && sethostname(s->host_name, strlen(s->host_name)))
		return cannot(s, -errno, "a host name");
	if (s->own & MITOSIS_OWN_TMP &&
	    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"))
		return cannot(s, -errno, "a /tmp");
	return 0;
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* How far a clock would go back, in ns. */
static int64_t behind(int64_t parents_ns, clockid_t clock)
{
	int64_t own_ns = read_clock(clock);

	return parents_ns > own_ns ? parents_ns - own_ns : 0;
}

/* Adds to the offsets that a new namespace has from that of this process. */
static int add_offsets(int64_t monotonic_ns, int64_t boottime_ns)
{
	int64_t seconds, nanoseconds;
	char line[128], clock[16];
	FILE *f = fopen("/proc/self/timens_offsets", "r+e");
	int64_t offsets[2] = { monotonic_ns, boottime_ns };
	int err = 0, i;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15s %ld %ld", clock, &seconds, &nanoseconds) != 3)
			continue;
		i = !strcmp(clock, "boottime");
		offsets[i] += seconds * NS_PER_S + nanoseconds;
	}
	rewind(f);
	for (i = 0; i < 2; i++) {
		seconds = offsets[i] / NS_PER_S;
		nanoseconds = offsets[i] % NS_PER_S;
		if (nanoseconds < 0) {
			nanoseconds += NS_PER_S;
			seconds--;
		}
		fprintf(f, "%s %ld %ld\n", i ? "boottime" : "monotonic", seconds,
			nanoseconds);
	}
	if (fflush(f))
		err = -errno;
	fclose(f);
	return err;
}

int child_clock_advance(const struct child_surroundings *s, int *before)
{
	int64_t monotonic_ns = behind(s->monotonic_ns, CLOCK_MONOTONIC);
	int64_t boottime_ns = behind(s->boottime_ns, CLOCK_BOOTTIME);
	int64_t most_ns = monotonic_ns > boottime_ns ? monotonic_ns : boottime_ns;
	int err;

	*before = -1;
	if (!most_ns)
		return 0;
	*before = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	err = *before < 0 || unshare(CLONE_NEWTIME) ? -errno : 0;
	if (!err)
		err = add_offsets(monotonic_ns, boottime_ns);
	if (!err)
		return 0;
	child_clock_return(*before);
	*before = -1;
	return fail(
		err,
		"the clocks of this machine are %lld s behind those of %s, whose "
		"timers would stand still, and no time namespace can be made: %s",
		(long long)(most_ns / NS_PER_S), s->what, strerror(-err));
}

void child_clock_return(int before)
{
	if (before < 0)
		return;
	setns(before, CLONE_NEWTIME);
	close(before);
}
