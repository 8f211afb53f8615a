/* SPDX-License-Identifier: Apache-2.0 */
/* Why a program that was started to be prepared does not listen. */
#ifndef PRELOAD_NOT_LOADED_H
#define PRELOAD_NOT_LOADED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes which process has `socket` as MITOSIS_PRELOAD_SOCKET in its environment and has not loaded the library, and
 * why. False if there is none, of those that this user may look at.
 */
bool explain_not_loaded(const char *socket, char *text, size_t size);

#endif /* PRELOAD_NOT_LOADED_H */
