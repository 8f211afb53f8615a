/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that children in a strict container may not make. */
#ifndef LAUNCHER_SECCOMP_FILTER_H
#define LAUNCHER_SECCOMP_FILTER_H

/*
 * Installs the filter for this process and all that it forks, for good; sets no_new_privs,
 * too. Returns 0 or -errno.
 */
int seccomp_filter_install(void);

/* The filter, for others to install. */
const struct sock_fprog *seccomp_filter(void);

#endif /* LAUNCHER_SECCOMP_FILTER_H */
