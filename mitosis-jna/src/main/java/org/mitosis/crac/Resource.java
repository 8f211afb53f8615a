// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

/** What wants to know of snapshots. */
public interface Resource {
  /**
   * Called before a snapshot.
   *
   * @param context that it is registered with
   * @throws Exception if there can be no snapshot now
   */
  void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

  /**
   * Called after it: in the parent, also if there is none, and in each child.
   *
   * @param context that it is registered with
   * @throws Exception if the resource cannot go on
   */
  void afterRestore(Context<? extends Resource> context) throws Exception;
}
