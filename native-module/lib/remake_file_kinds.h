/* SPDX-License-Identifier: Apache-2.0 */
/* Making one open file again, by its kind; as lib/remade_files.h. */
#ifndef LIB_REMAKE_FILE_KINDS_H
#define LIB_REMAKE_FILE_KINDS_H

#include "lib/remade_files.h"

/* Returns 0, or -errno with a message if no child may have the file. */
int remake_file_check(const struct remade_files *files,
		      const struct descriptor_fd *fd);

/*
 * Makes file `index`, which is close-on-exec. Returns its number, or -errno with a
 * message. Makes the other end of a pair, too, and puts it into files->at.
 */
int remake_file(struct remade_files *files, uint32_t index);

#endif /* LIB_REMAKE_FILE_KINDS_H */
