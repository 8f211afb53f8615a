// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.time.Instant;

/**
 * A prepared snapshot as {@link Device#list()} shows it.
 *
 * @param handlerId the key of the snapshot on its machine
 * @param pinned true if it stays after its device is closed
 * @param ownerPid process id of the parent that prepared it
 * @param shadowPid process id of the shadow that holds the memory; 0 on the kernel backend, which
 *     needs none
 * @param preparedAt when it was prepared, by the machine's wall clock
 */
public record Snapshot(
    int handlerId, boolean pinned, int ownerPid, int shadowPid, Instant preparedAt) {}
