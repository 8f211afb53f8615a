// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The hooks of this process around a snapshot of it. Applications register them with {@link
 * Mitosis#onPrepare}, {@link Mitosis#onParent} and {@link Mitosis#onChild}; backends run them.
 *
 * <p>They run in the thread that prepares, one snapshot at a time. A child runs its hooks before
 * its call of prepare returns. Its other threads continue at once, as its parent's do. If a thread
 * must not use something before a hook has replaced it, the hook before prepare must take a lock
 * that this thread needs, and the hooks after it release the lock. A hook that is registered during
 * a prepare first runs at the next one; one that is removed during a prepare still runs after that
 * prepare.
 */
public final class ForkHooks {
  private static final List<Hook> BEFORE = new CopyOnWriteArrayList<>();
  private static final List<Hook> IN_PARENT = new CopyOnWriteArrayList<>();
  private static final List<ChildHook> IN_CHILD = new CopyOnWriteArrayList<>();
  private static final ReentrantLock ONE_AT_A_TIME = new ReentrantLock();

  /** The first hook of each child; linked in its parent. */
  private static final ChildHook RESEED = SharedRandomness::reseed;

  /** A hook in the parent. */
  @FunctionalInterface
  public interface Hook {
    /**
     * Runs it.
     *
     * @throws Exception if it fails, which prepare tells as a {@link HookException}
     */
    void run() throws Exception;
  }

  /** A hook in a child. */
  @FunctionalInterface
  public interface ChildHook {
    /**
     * Runs it.
     *
     * @param child the child that it runs in
     * @throws Exception if it fails, which prepare tells as a {@link HookException}
     */
    void run(Child child) throws Exception;
  }

  /** A registered hook. */
  @FunctionalInterface
  public interface Registration extends AutoCloseable {
    /** Removes the hook. Closing twice is harmless. */
    @Override
    void close();
  }

  private ForkHooks() {}

  static Registration onPrepare(Hook hook) {
    return register(BEFORE, hook);
  }

  static Registration onParent(Hook hook) {
    return register(IN_PARENT, hook);
  }

  static Registration onChild(ChildHook hook) {
    return register(IN_CHILD, hook);
  }

  /**
   * For backends: runs the hooks before, takes a snapshot, runs the hooks after it.
   *
   * @param settle runs between the hooks before and the snapshot
   * @param take takes the snapshot; returns null in the parent
   * @throws HookException if a hook failed
   * @throws IllegalStateException if the caller is a hook
   */
  public static ForkRole around(Runnable settle, Supplier<Child> take) {
    if (ONE_AT_A_TIME.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "a hook cannot prepare: prepare after the call that runs the hooks has returned");
    }
    ONE_AT_A_TIME.lock();
    try {
      SharedRandomness.warmUp();
      return aroundLocked(settle, take);
    } finally {
      ONE_AT_A_TIME.unlock();
    }
  }

  private static ForkRole aroundLocked(Runnable settle, Supplier<Child> take) {
    List<Throwable> failures = new ArrayList<>();
    List<Hook> inParent = List.copyOf(IN_PARENT);
    List<ChildHook> inChild = List.copyOf(IN_CHILD);
    List<Hook> reversed = new ArrayList<>(BEFORE);
    Collections.reverse(reversed);
    reversed.forEach(hook -> run(hook, failures));
    if (!failures.isEmpty()) {
      runAll(inParent, failures);
      throw new HookException(ForkRole.PARENT, false, "a hook before prepare", failures);
    }
    Child child;
    try {
      settle.run();
      child = take.get();
    } catch (RuntimeException | Error e) {
      runAll(inParent, failures);
      failures.forEach(e::addSuppressed);
      throw e;
    }
    if (child == null) {
      runAll(inParent, failures);
      if (!failures.isEmpty()) {
        throw new HookException(ForkRole.PARENT, true, "a hook after prepare", failures);
      }
      return ForkRole.PARENT;
    }
    runInChild(RESEED, child, failures);
    for (ChildHook hook : inChild) {
      runInChild(hook, child, failures);
    }
    if (!failures.isEmpty()) {
      throw new HookException(ForkRole.CHILD, true, "a hook in " + child, failures);
    }
    return ForkRole.CHILD;
  }

  private static void runAll(List<Hook> hooks, List<Throwable> failures) {
    hooks.forEach(hook -> run(hook, failures));
  }

  private static void run(Hook hook, List<Throwable> failures) {
    try {
      hook.run();
    } catch (Exception | Error e) {
      failures.add(e);
    }
  }

  /** Without a lambda or a concatenation of strings, which each child would have to link anew. */
  private static void runInChild(ChildHook hook, Child child, List<Throwable> failures) {
    try {
      hook.run(child);
    } catch (Exception | Error e) {
      failures.add(e);
    }
  }

  private static <T> Registration register(List<T> hooks, T hook) {
    if (hook == null) {
      throw new NullPointerException("hook");
    }
    hooks.add(hook);
    Object[] registered = {hook};
    return () -> {
      synchronized (registered) {
        hooks.remove(registered[0]);
        registered[0] = null;
      }
    };
  }
}
