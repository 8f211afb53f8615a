/* SPDX-License-Identifier: Apache-2.0 */
/* Userfaultfds that this process has open. */
#ifndef LIB_OWN_UFFD_H
#define LIB_OWN_UFFD_H

/*
 * Before the threads of this process are stopped: one of them may have to read that a shadow is
 * forked, from a userfaultfd with UFFD_FEATURE_EVENT_FORK, and the fork would wait for it for
 * ever. Returns 0 or -errno with a message.
 */
int own_uffd_check_threads(void);

#endif /* LIB_OWN_UFFD_H */
