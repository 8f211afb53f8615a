/* SPDX-License-Identifier: GPL-2.0 */
/* The open files of a child: those of its caller that exec would keep. */
#ifndef MITOSIS_FILES_H
#define MITOSIS_FILES_H

#include <linux/types.h>

/* Whether no other process shares the caller's table of open files. */
bool mitosis_files_are_own(void);

/*
 * Closes the caller's files that are close-on-exec. The device's file may be one of
 * them: it is released when the ioctl has returned.
 */
void mitosis_files_close_on_exec(void);

#endif /* MITOSIS_FILES_H */
