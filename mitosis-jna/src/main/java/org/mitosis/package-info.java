// SPDX-License-Identifier: Apache-2.0

/**
 * Remote fork for Java programs: what a user imports.
 *
 * <p>{@link org.mitosis.Mitosis} chooses a backend and opens a {@link org.mitosis.Device}; a device
 * takes, lists and drops snapshots; {@link org.mitosis.MitosisException} says what failed and what
 * to do. No signature here names a backend's class or a JNA type: backends are found through {@link
 * java.util.ServiceLoader}, so that this package depends on none of them.
 *
 * <h2>By task</h2>
 *
 * <dl>
 *   <dt>Ask what works on this machine
 *   <dd>{@link org.mitosis.Mitosis#availabilities()}: each backend, and what to do about one that
 *       cannot be used.
 *   <dt>Take a snapshot of this process
 *   <dd>{@link org.mitosis.Device#preparePinned(int)}, and {@link
 *       org.mitosis.Device#unprepare(int)} to drop it.
 *   <dt>Fork this JVM
 *   <dd>{@link org.mitosis.Device#prepareWhenQuiet(int, java.time.Duration)}, then {@link
 *       org.mitosis.user.Children}:
 *       <pre>{@code
 * try (Device device = Mitosis.open(Backend.USER)) {
 *   if (device.prepareWhenQuiet(73, Duration.ofSeconds(30)) == ForkRole.CHILD) {
 *     answer(); // goes on here, with all that the parent has loaded and compiled
 *     System.exit(0);
 *   }
 *   Children.of(73).builder().inheritIO().start().waitFor();
 * }
 * }</pre>
 *   <dt>Do something before and after a snapshot
 *   <dd>{@link org.mitosis.Mitosis#onPrepare}, {@link org.mitosis.Mitosis#onParent} and {@link
 *       org.mitosis.Mitosis#onChild}; {@link org.mitosis.crac} for applications with hooks of CRaC.
 *   <dt>Reach another machine
 *   <dd>{@link org.mitosis.Device#connect(int, String)}, then {@link
 *       org.mitosis.Device#nilRpc(int)}; snapshots of it are resumed by machine id and handler id.
 *   <dt>Write a benchmark, and read its results
 *   <dd>The packages {@code org.mitosis.fixture} and {@code org.mitosis.result} of mitosis-jmh.
 * </dl>
 */
package org.mitosis;
