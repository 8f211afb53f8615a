// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool owner_lets_manage(const struct ucred *process)
{
	return process->uid == geteuid() || process->uid == 0;
}

static bool read_status(pid_t pid, struct owner_rights *r)
{
	unsigned int no_new_privs = 0, seccomp = 0;
	struct parent_rights *has = &r->has;
	char path[64], line[256];
	int found = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	/* Without seccomp the kernel has no line of it. */
	while (status && fgets(line, sizeof(line), status)) {
		if (!strchr("UGCNS", line[0]))
			continue;
		if (sscanf(line, "Uid: %" SCNu32 " %" SCNu32 " %" SCNu32, &r->uid[0],
			   &r->uid[1], &r->uid[2]) == 3 ||
		    sscanf(line, "Gid: %" SCNu32 " %" SCNu32 " %" SCNu32, &r->gid[0],
			   &r->gid[1], &r->gid[2]) == 3 ||
		    sscanf(line, "CapInh: %" SCNx64, &has->inheritable) == 1 ||
		    sscanf(line, "CapPrm: %" SCNx64, &has->permitted) == 1 ||
		    sscanf(line, "CapBnd: %" SCNx64, &has->bounding) == 1 ||
		    sscanf(line, "NoNewPrivs: %u", &no_new_privs) == 1)
			found++;
		else if (sscanf(line, "Seccomp: %u", &seccomp) == 1)
			break;
	}
	if (status)
		fclose(status);
	has->flags = RIGHTS_KNOWN | (no_new_privs ? RIGHTS_NO_NEW_PRIVS : 0) |
		     (seccomp ? RIGHTS_SECCOMP : 0);
	return found == 6;
}

static bool read_namespace(pid_t pid, struct owner_rights *r)
{
	struct stat st;
	char path[64];
	FILE *map;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	map = fopen(path, "re");
	if (!map)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	/* That of a process with more capabilities than this one cannot be read. */
	r->has.user_namespace = stat(path, &st) ? 0 : st.st_ino;
	n = fread(r->namespace, 1, sizeof(r->namespace) - 1, map);
	r->namespace[n] = '\0';
	fclose(map);
	/* One that is longer than can be compared equals no other. */
	return n < sizeof(r->namespace) - 1;
}

/* False for a process of a PID namespace that is not this process's or below it. */
static bool sees(const struct ucred *process)
{
	return process->pid > 0;
}

static bool rights_of(const struct ucred *process, struct owner_rights *r)
{
	memset(r, 0, sizeof(*r));
	r->known = sees(process) && read_status(process->pid, r) &&
		   read_namespace(process->pid, r);
	return r->known;
}

/*
 * Capabilities count in their namespace only, also where another has the same map: root's in
 * one that maps all users, say. The map tells where the kernel does not name one of the two.
 */
static bool same_namespace(const struct owner_rights *a,
			   const struct owner_rights *b)
{
	uint32_t first = a->has.user_namespace, second = b->has.user_namespace;

	return first && second ? first == second
			       : !strcmp(a->namespace, b->namespace);
}

int owner_read_rights(const struct ucred *shadow, struct owner_rights *owner)
{
	if (owner->known || rights_of(shadow, owner))
		return 0;
	return sees(shadow) ? -ENOENT : -EPERM;
}

int owner_lets_become(const struct ucred *device, const struct ucred *shadow,
		      struct owner_rights *owner)
{
	struct owner_rights caller;
	int err = owner_read_rights(shadow, owner);

	if (err)
		return err;
	return rights_of(device, &caller) &&
			       !memcmp(caller.uid, owner->uid, sizeof(owner->uid)) &&
			       !memcmp(caller.gid, owner->gid, sizeof(owner->gid)) &&
			       same_namespace(&caller, owner) &&
			       !(owner->has.permitted & ~caller.has.permitted)
		       ? 0
		       : -EPERM;
}
