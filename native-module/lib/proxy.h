/* SPDX-License-Identifier: Apache-2.0 */
/* Standing for a child that a shadow has forked. */
#ifndef LIB_PROXY_H
#define LIB_PROXY_H

/*
 * Has the shadow behind a stream fork a child with this process's files, waits
 * for its end and ends alike. Takes the stream over. Returns only -errno, with
 * a sentence that names `what`.
 */
int resume_by_clone(int stream, const char *what);

#endif /* LIB_PROXY_H */
