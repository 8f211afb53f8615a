// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mitosis.Backend;
import org.mitosis.Limits;
import org.mitosis.MitosisException;
import org.mitosis.nativefiles.NativeFiles;

/**
 * Starts children of a snapshot on this machine, by either backend, each as a process of its own
 * with streams and an exit code. No JVM starts: {@code mitosis-child} becomes the child.
 *
 * <p>A child that cannot be started writes the reason to its standard error and exits with 1; one
 * that fails after it has given up its own memory exits with 125.
 */
public final class Children {
  private static final int NONE = -1;

  private final int handlerId;
  private final Map<String, String> environment = new TreeMap<>();
  private Backend backend = Backend.USER;
  private int machineId = NONE;
  private String address;
  private Mode mode = Mode.LAZY;
  private OpenForWriting files = OpenForWriting.REFUSE;
  private int prefetchPages; // 0: as mitosis-child chooses
  private final Set<Own> own = EnumSet.noneOf(Own.class);
  private String hostName = "";
  private final Map<String, String> paths = new TreeMap<>();

  /** How a child gets its pages. */
  public enum Mode {
    /** On demand. */
    LAZY,
    /** All of them before its first instruction. */
    EAGER,
    /** On demand; pages of another machine stay on this one for later children. */
    CACHED,
    /** Forked by the snapshot itself, on its own machine. */
    CLONE,
    /**
     * Forked by a replica: a child of the snapshot that this machine keeps, and that does not run
     * its program. For a snapshot of this machine, as {@link #CLONE}.
     */
    REPLICA
  }

  /** What a child has of files that its parent has open for writing. */
  public enum OpenForWriting {
    /** The child is refused; the message names the file. */
    REFUSE,
    /** The same files. */
    SHARE,
    /** Copies in memory. */
    PRIVATE
  }

  /** What children have of their own; a PID namespace and a /proc in any case. */
  public enum Own {
    /** A network with a loopback device only. */
    NETWORK,
    /**
     * An empty /tmp. JDK tools reach a JVM by a socket there whose name contains its process id,
     * which is the same in parent and children.
     */
    TMP
  }

  private Children(int handlerId) {
    this.handlerId = handlerId;
  }

  /**
   * Children of a snapshot.
   *
   * @param handlerId its key, 0 or greater
   */
  public static Children of(int handlerId) {
    if (handlerId < 0) {
      throw new IllegalArgumentException("handler id must be 0 or greater, got " + handlerId);
    }
    return new Children(handlerId);
  }

  /**
   * Names the machine that holds the snapshot; by default it is this one.
   *
   * @param id the machine's id, 0 or greater
   * @param where its address, {@code tcp://host:port}
   */
  public Children from(int id, String where) {
    if (id < 0) {
      throw new IllegalArgumentException("machine id must be 0 or greater, got " + id);
    }
    machineId = id;
    address = Objects.requireNonNull(where, "where");
    return this;
  }

  /**
   * Which backend makes the children; by default {@link Backend#USER}. For a snapshot of this
   * machine it must be the backend that took it. The kernel module has no modes clone and replica.
   */
  public Children backend(Backend chosen) {
    backend = Objects.requireNonNull(chosen, "chosen");
    return this;
  }

  /** How children get their pages; by default {@link Mode#LAZY}. */
  public Children mode(Mode chosen) {
    mode = chosen;
    return this;
  }

  /** What children have of files that are open for writing; by default they are refused. */
  public Children files(OpenForWriting chosen) {
    files = chosen;
    return this;
  }

  /**
   * Pages for each fault.
   *
   * @param pages a power of two up to {@value Limits#PREFETCH_PAGES_MAX}
   */
  public Children prefetchPages(int pages) {
    if (pages < 1 || pages > Limits.PREFETCH_PAGES_MAX || Integer.bitCount(pages) != 1) {
      throw new IllegalArgumentException(
          "prefetch pages must be a power of two from 1 to "
              + Limits.PREFETCH_PAGES_MAX
              + ", got "
              + pages);
    }
    prefetchPages = pages;
    return this;
  }

  /** What children have of their own; by default neither. Not in modes clone and replica. */
  public Children own(Own... chosen) {
    own.clear();
    own.addAll(List.of(chosen));
    return this;
  }

  /** A host name of the children's own. Not in modes clone and replica. */
  public Children hostName(String name) {
    hostName = Objects.requireNonNull(name, "name");
    return this;
  }

  /**
   * Makes children open the files that their parent had open at or below a path at another path.
   * Not in modes clone and replica.
   */
  public Children path(Path old, Path other) {
    if (old.toString().indexOf('=') >= 0) {
      throw new IllegalArgumentException("a path must not contain '=', got " + old);
    }
    paths.put(old.toString(), other.toString());
    return this;
  }

  /** The file with the key that the machines share; by default what libmitosis finds. */
  public Children keyFile(Path file) {
    environment.put("MITOSIS_KEY_FILE", file.toString());
    return this;
  }

  /** The runtime directory of this machine's daemon; by default that of this process. */
  public Children runtimeDirectory(Path directory) {
    environment.put("MITOSIS_RUNTIME_DIR", directory.toString());
    return this;
  }

  /**
   * A process builder for one child; each start makes a further child. Its streams can be
   * redirected before. A child has the environment of its parent, not that of the builder.
   *
   * @throws MitosisException if the native files of this release cannot be unpacked
   */
  public ProcessBuilder builder() {
    List<String> command = new ArrayList<>();
    command.add(NativeFiles.path("mitosis-child").toString());
    command.addAll(List.of("--handler-id", Integer.toString(handlerId)));
    command.addAll(List.of("--mode", mode.name().toLowerCase(Locale.ROOT)));
    command.addAll(List.of("--files", files.name().toLowerCase(Locale.ROOT)));
    if (prefetchPages > 0) {
      command.addAll(List.of("--prefetch", Integer.toString(prefetchPages)));
    }
    if (!own.isEmpty()) {
      command.addAll(
          List.of(
              "--own",
              own.stream()
                  .map(each -> each.name().toLowerCase(Locale.ROOT))
                  .collect(Collectors.joining(","))));
    }
    if (!hostName.isEmpty()) {
      command.addAll(List.of("--host-name", hostName));
    }
    paths.forEach((old, other) -> command.addAll(List.of("--map", old + "=" + other)));
    command.addAll(List.of("--backend", backend.toString()));
    if (machineId != NONE) {
      command.addAll(List.of("--remote", Integer.toString(machineId), "--address", address));
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return builder;
  }

  /**
   * Starts one child.
   *
   * @throws IOException if no process can be started
   * @throws MitosisException if the native files of this release cannot be unpacked
   */
  public Process start() throws IOException {
    return builder().start();
  }
}
