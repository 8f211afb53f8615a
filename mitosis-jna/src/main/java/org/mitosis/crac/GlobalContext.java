// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.ListIterator;
import java.util.Set;
import org.mitosis.Mitosis;

/**
 * The context of the process. Resources are told of a snapshot in reverse order of their
 * registration, and of what comes after it in order; each one is, whatever others throw, and of
 * what comes after also if it failed before.
 */
final class GlobalContext extends Context<Resource> {
  /** These only hold what others threw: ours, and those that org.crac makes of ours. */
  private static final Set<String> HOLDERS =
      Set.of(
          CheckpointException.class.getName(),
          RestoreException.class.getName(),
          "org.crac.CheckpointException",
          "org.crac.RestoreException");

  private final List<WeakReference<Resource>> registered = new ArrayList<>();

  /** From the first notification to the second, in order of registration: they must not go. */
  private List<Resource> notified = List.of();

  GlobalContext() {
    Mitosis.onPrepare(() -> beforeCheckpoint(this));
    Mitosis.onParent(() -> afterRestore(this));
    Mitosis.onChild(child -> afterRestore(this));
  }

  @Override
  public void register(Resource resource) {
    if (resource == null) {
      throw new NullPointerException("resource");
    }
    synchronized (registered) {
      registered.removeIf(each -> each.get() == null || each.get() == resource);
      registered.add(new WeakReference<>(resource));
    }
  }

  @Override
  public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
    List<Throwable> failures = new ArrayList<>();
    notified = reachable();
    for (ListIterator<Resource> i = notified.listIterator(notified.size()); i.hasPrevious(); ) {
      try {
        i.previous().beforeCheckpoint(this);
      } catch (Exception | Error e) {
        failures.add(e);
      }
    }
    if (!failures.isEmpty()) {
      throw hold(new CheckpointException(), failures);
    }
  }

  @Override
  public void afterRestore(Context<? extends Resource> context) throws RestoreException {
    List<Throwable> failures = new ArrayList<>();
    List<Resource> resources = notified;
    notified = List.of();
    for (Resource resource : resources) {
      try {
        resource.afterRestore(this);
      } catch (Exception | Error e) {
        failures.add(e);
      }
    }
    if (!failures.isEmpty()) {
      throw hold(new RestoreException(), failures);
    }
  }

  void forget() {
    synchronized (registered) {
      registered.clear();
    }
  }

  private List<Resource> reachable() {
    List<Resource> resources = new ArrayList<>();
    synchronized (registered) {
      for (WeakReference<Resource> each : registered) {
        Resource resource = each.get();
        if (resource != null) {
          resources.add(resource);
        }
      }
    }
    return resources;
  }

  /** Adds the failures, and of those that only hold others, these. */
  static <E extends Exception> E hold(E holder, List<? extends Throwable> failures) {
    for (Throwable failure : failures) {
      if (HOLDERS.contains(failure.getClass().getName()) && failure.getSuppressed().length > 0) {
        hold(holder, List.of(failure.getSuppressed()));
      } else {
        holder.addSuppressed(failure);
      }
    }
    return holder;
  }
}
