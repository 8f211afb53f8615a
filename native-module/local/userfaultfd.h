/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_USERFAULTFD_H
#define LOCAL_USERFAULTFD_H

#include <stdbool.h>

/* Whether an open file of this process is a userfaultfd. */
bool is_userfaultfd(int fd);

#endif /* LOCAL_USERFAULTFD_H */
