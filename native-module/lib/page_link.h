/* SPDX-License-Identifier: Apache-2.0 */
/* What a child and its page server have of each other: userfaultfd and lifeline. */
#ifndef LIB_PAGE_LINK_H
#define LIB_PAGE_LINK_H

/* Returns a userfaultfd or -errno with a message. */
int page_link_open_uffd(void);

/*
 * Makes the pipe whose first end tells the caller that the second one has closed: see
 * hold_lifeline() in restore.c. Returns 0, or -errno with a message that names `what`.
 */
int page_link_open_lifeline(int ends[2], const char *what);

#endif /* LIB_PAGE_LINK_H */
