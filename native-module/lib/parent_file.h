/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc of the process that forked this one; in shadows: no libc, no globals. */
#ifndef LIB_PARENT_FILE_H
#define LIB_PARENT_FILE_H

/*
 * Opens "/status", say, to be read, or returns -errno. The caller makes sure that the parent still
 * runs: its successor would be opened.
 */
long parent_file_open(const char *file);

#endif /* LIB_PARENT_FILE_H */
