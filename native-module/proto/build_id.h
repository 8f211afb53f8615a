/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The build-id that a linker gives an ELF file: it tells one build of it from another. */
#ifndef PROTO_BUILD_ID_H
#define PROTO_BUILD_ID_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* Bytes at the beginning of a file that are looked at: linkers put the notes there. */
#define BUILD_ID_WINDOW 4096u
/* Room for it as text: hexadecimal, of 32 bytes at most, with a NUL. */
#define BUILD_ID_TEXT 65u

/* Bytes as hexadecimal text with a NUL. */
void build_id_hex(const uint8_t *bytes, uint32_t size, char *text);

/*
 * Writes the build-id of the 64-bit ELF file whose first `size` bytes these are, aligned to
 * 8; "" if there is none in them.
 */
void build_id_find(const void *bytes, uint32_t size, char text[BUILD_ID_TEXT]);

#endif /* PROTO_BUILD_ID_H */
