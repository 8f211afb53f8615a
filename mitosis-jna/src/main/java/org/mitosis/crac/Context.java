// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

/**
 * A resource that passes on to others what it is told.
 *
 * @param <R> what can be registered with it
 */
public abstract class Context<R extends Resource> implements Resource {
  /** For contexts. */
  protected Context() {}

  @Override
  public abstract void beforeCheckpoint(Context<? extends Resource> context)
      throws CheckpointException;

  @Override
  public abstract void afterRestore(Context<? extends Resource> context) throws RestoreException;

  /**
   * Has a resource told from now on.
   *
   * @param resource is held weakly
   */
  public abstract void register(R resource);
}
