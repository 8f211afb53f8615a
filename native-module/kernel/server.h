/* SPDX-License-Identifier: GPL-2.0 */
/* Serves the snapshots of this machine to other machines, over TCP. */
#ifndef MITOSIS_SERVER_H
#define MITOSIS_SERVER_H

/* Listens at the address of the parameter listen, if set. Returns 0 or -errno. */
int mitosis_server_init(void);
void mitosis_server_exit(void);

#endif /* MITOSIS_SERVER_H */
