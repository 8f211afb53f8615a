// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * Where remote fork starts: chooses a backend and opens devices.
 *
 * <p>The kernel backend is chosen when its device is there and answers, the user backend otherwise.
 * The system property {@value #BACKEND_PROPERTY} ({@code kernel} or {@code user}) forces one; a
 * forced backend that is missing is an error, never a silent change to the other.
 */
public final class Mitosis {
  /** System property that forces a backend. */
  public static final String BACKEND_PROPERTY = "mitosis.backend";

  /**
   * System property: the file with the key that machines share, for devices of the user backend
   * opened from then on. Without it, libmitosis looks at {@code $MITOSIS_KEY_FILE}, {@code
   * ~/.config/mitosis/key} and {@code /etc/mitosis/key}.
   */
  public static final String KEY_FILE_PROPERTY = "mitosis.keyFile";

  private Mitosis() {}

  /** The availability of every backend, in the order of {@link Backend}. */
  public static List<Availability> availabilities() {
    return Providers.ALL.values().stream().map(BackendProvider::availability).toList();
  }

  /**
   * The backend that {@link #open()} uses.
   *
   * @throws MitosisException ENODEV if none can be used, or the forced one cannot
   * @throws IllegalArgumentException if {@value #BACKEND_PROPERTY} names no backend
   */
  public static BackendChoice choose() {
    List<Availability> found = availabilities();
    String forced = System.getProperty(BACKEND_PROPERTY, "");
    if (!forced.isEmpty()) {
      Backend backend = parseForced(forced);
      Availability availability = of(found, backend);
      if (!availability.available()) {
        throw missing(
            "backend '"
                + backend
                + "' is forced by -D"
                + BACKEND_PROPERTY
                + " but "
                + availability.cause(),
            availability.remedy());
      }
      return new BackendChoice(backend, "forced by -D" + BACKEND_PROPERTY, found);
    }
    List<String> causes = new ArrayList<>();
    for (Availability availability : found) {
      if (availability.available()) {
        causes.add(availability.cause());
        return new BackendChoice(availability.backend(), String.join("; ", causes), found);
      }
      causes.add("no " + availability.backend() + " backend: " + availability.cause());
    }
    throw missing(
        "no backend can be used: " + String.join("; ", causes),
        found.isEmpty() ? "" : found.get(found.size() - 1).remedy());
  }

  /**
   * Opens a device of the chosen backend.
   *
   * @throws MitosisException if no backend can be used, or opening fails
   */
  public static Device open() {
    return open(choose().backend());
  }

  /**
   * Opens a device of the given backend.
   *
   * @throws MitosisException if that backend cannot be used
   */
  public static Device open(Backend backend) {
    BackendProvider provider = Providers.ALL.get(backend);
    if (provider == null) {
      throw missing("the " + backend + " backend is not on the class path", "");
    }
    return provider.open();
  }

  /**
   * Has a hook run before each snapshot of this process, the last registered first. If one fails,
   * no snapshot is taken.
   *
   * @return removes the hook when closed
   */
  public static ForkHooks.Registration onPrepare(ForkHooks.Hook hook) {
    return ForkHooks.onPrepare(hook);
  }

  /**
   * Has a hook run in the parent after each snapshot of this process, and after one that failed: it
   * starts again what a hook before prepare has stopped. The first registered runs first.
   *
   * @return removes the hook when closed
   */
  public static ForkHooks.Registration onParent(ForkHooks.Hook hook) {
    return ForkHooks.onParent(hook);
  }

  /**
   * Has a hook run in each child of this process's later snapshots, before {@link Device#prepare}
   * returns there; the first registered runs first. It gives the child what must be its own: seeds,
   * identifiers, connections. {@code SecureRandom} is reseeded before.
   *
   * @return removes the hook when closed
   */
  public static ForkHooks.Registration onChild(ForkHooks.ChildHook hook) {
    return ForkHooks.onChild(hook);
  }

  private static Backend parseForced(String name) {
    try {
      return Backend.parse(name);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("-D" + BACKEND_PROPERTY + ": " + e.getMessage(), e);
    }
  }

  private static Availability of(List<Availability> found, Backend backend) {
    return found.stream()
        .filter(availability -> availability.backend() == backend)
        .findFirst()
        .orElseGet(
            () ->
                Availability.missing(
                    backend, "it is not on the class path", "add org.mitosis:mitosis-jna"));
  }

  private static MitosisException missing(String problem, String advice) {
    return MitosisException.of(Operation.OPEN, Errno.ENODEV)
        .problem(problem)
        .advice(advice)
        .build();
  }

  private static final class Providers {
    static final Map<Backend, BackendProvider> ALL = load();

    private static Map<Backend, BackendProvider> load() {
      Map<Backend, BackendProvider> providers = new EnumMap<>(Backend.class);
      ServiceLoader.load(BackendProvider.class, Mitosis.class.getClassLoader())
          .forEach(provider -> providers.putIfAbsent(provider.backend(), provider));
      return providers;
    }
  }
}
