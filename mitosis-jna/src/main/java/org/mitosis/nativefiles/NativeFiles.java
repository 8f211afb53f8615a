// SPDX-License-Identifier: Apache-2.0
package org.mitosis.nativefiles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.Operation;

/**
 * The programs and the library of this release, which travel in the jar and are unpacked on first
 * need.
 *
 * <p>They go to a folder of this user that is named by their content, so that releases do not
 * disturb each other and a running program never sees its file change. The place is {@code
 * -Dmitosis.native.dir=DIR}, else {@code $XDG_CACHE_HOME/mitosis}, else {@code ~/.cache/mitosis},
 * else, where the home directory cannot be written, {@code mitosis-USER} in {@code java.io.tmpdir}.
 * Every JVM checks on first need that the files are as they came, repairs them if not, and that
 * they can be executed there.
 */
public final class NativeFiles {
  /** System property that names the directory to unpack to. */
  public static final String DIRECTORY_PROPERTY = "mitosis.native.dir";

  private static final List<String> NAMES =
      List.of(
          "libmitosis-preload.so",
          "libmitosis.so",
          "mitosis-child",
          "mitosis-connect",
          "mitosis-criu-target",
          "mitosis-launcher",
          "mitosis-noop",
          "mitosis-parent",
          "mitosis-prepare",
          "mitosis-rdma-floor",
          "mitosis-rdma-selftest",
          "mitosis-replica",
          "mitosis-unprepare",
          "mitosisd");
  private static final String RESOURCES = "linux-x86-64/";
  private static final String TRIAL = "mitosisd";
  static final String ELSEWHERE =
      "set -D" + DIRECTORY_PROPERTY + "=DIR to a directory of this user";

  private static Path unpacked;

  private NativeFiles() {}

  /**
   * The absolute path of a native file; unpacks all of them if they are not there.
   *
   * @param name {@code libmitosis.so}, {@code libmitosis-preload.so}, {@code mitosisd}, or a helper
   *     program: {@code mitosis-prepare}, {@code mitosis-parent}, {@code mitosis-child}, {@code
   *     mitosis-launcher}, {@code mitosis-connect}, {@code mitosis-unprepare}, {@code
   *     mitosis-rdma-floor}, {@code mitosis-rdma-selftest} or {@code mitosis-noop}
   * @throws MitosisException (open) ENODEV if this is not Linux on x86-64, EACCES if the place
   *     cannot be used or does not let programs run, ENOSPC, EROFS or EIO if they cannot be written
   * @throws IllegalArgumentException if this release has no such file
   */
  public static synchronized Path path(String name) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException("'" + name + "' is not one of " + NAMES);
    }
    // Somebody may have emptied the cache since.
    if (unpacked == null || !Files.isExecutable(unpacked.resolve(name))) {
      unpacked = unpack();
    }
    return unpacked.resolve(name);
  }

  /**
   * Unpacks other files that travel in a jar, beside the native ones and as safely.
   *
   * @param files contents by path in their folder, with slashes
   * @return the absolute path of their folder, which is theirs alone
   * @throws MitosisException (open) EACCES, ENOSPC, EROFS or EIO if they cannot be written
   */
  public static Path unpackBeside(SortedMap<String, byte[]> files) {
    return unpack(base(), files);
  }

  /**
   * A folder beside the native files for what is made here and to be kept, which only this user can
   * have written to.
   *
   * @param name without slashes
   * @return its absolute path
   * @throws MitosisException (open) EACCES, ENOSPC, EROFS or EIO if it cannot be made
   */
  public static Path folderBeside(String name) {
    Path base = base();
    try {
      return PrivateFolder.in(base, name).path();
    } catch (IOException e) {
      throw cannot("put beside a folder in " + base, e);
    }
  }

  private static Path unpack() {
    requirePlatform();
    Path path = unpack(base(), read());
    ProgramTrial.require(path.resolve(TRIAL));
    return path;
  }

  private static Path base() {
    String asked = System.getProperty(DIRECTORY_PROPERTY, "");
    Path cache = asked.isEmpty() ? cache() : Path.of(asked);
    Path base =
        !asked.isEmpty() || canBeWritten(cache)
            ? cache
            : Path.of(
                System.getProperty("java.io.tmpdir"), "mitosis-" + System.getProperty("user.name"));
    return base.toAbsolutePath().normalize();
  }

  private static boolean canBeWritten(Path folder) {
    Path existing = folder;
    while (existing != null && !Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
      existing = existing.getParent();
    }
    return existing != null && Files.isWritable(existing);
  }

  private static Path unpack(Path base, SortedMap<String, byte[]> files) {
    try {
      PrivateFolder folder = PrivateFolder.in(base, digest(files));
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        folder.put(file.getKey(), file.getValue());
      }
      return folder.path();
    } catch (IOException e) {
      throw cannot("unpacked to " + base, e);
    }
  }

  private static Path cache() {
    String asked = System.getenv("XDG_CACHE_HOME");
    // The XDG specification says that a relative path must be ignored.
    Path cache =
        asked != null && asked.startsWith("/")
            ? Path.of(asked)
            : Path.of(System.getProperty("user.home"), ".cache");
    return cache.resolve("mitosis");
  }

  private static void requirePlatform() {
    String system = System.getProperty("os.name");
    String machine = System.getProperty("os.arch");
    if (!system.equals("Linux") || !machine.equals("amd64")) {
      throw failure(
          Errno.ENODEV,
          "there are native files for Linux on x86-64 only and this is "
              + system
              + " on "
              + machine,
          "");
    }
  }

  private static SortedMap<String, byte[]> read() {
    SortedMap<String, byte[]> files = new TreeMap<>();
    for (String name : NAMES) {
      // By the loader: on the module path, a class finds the files of its own module only.
      try (InputStream in =
          NativeFiles.class.getClassLoader().getResourceAsStream(RESOURCES + name)) {
        if (in == null) {
          throw failure(
              Errno.ENOENT,
              "neither class path nor module path has " + RESOURCES + name,
              "add org.mitosis:mitosis-native; on the module path by --add-modules"
                  + " org.mitosis.natives");
        }
        files.put(name, in.readAllBytes());
      } catch (IOException e) {
        throw cannot("read from the class path", e);
      }
    }
    return files;
  }

  private static String digest(SortedMap<String, byte[]> files) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    files.forEach(
        (name, content) -> {
          digest.update((name + '\0').getBytes(StandardCharsets.UTF_8));
          digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, content.length));
          digest.update(content);
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MitosisException cannot(String what, IOException e) {
    String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
    int errno = Errno.EIO;
    if (e instanceof PrivateFolder.UnsafeException) {
      errno = Errno.EACCES;
    } else if (e instanceof AccessDeniedException) {
      errno = Errno.EACCES;
      reason = null;
    } else if (reason != null && reason.contains("No space left")) {
      errno = Errno.ENOSPC;
      reason = "the file system is full";
    } else if (reason != null && reason.contains("Read-only")) {
      errno = Errno.EROFS;
      reason = null;
    }
    MitosisException failure =
        failure(
            errno,
            "the native files cannot be "
                + what
                + ": "
                + (reason == null ? Errno.meaning(errno) : reason),
            ELSEWHERE);
    failure.initCause(e);
    return failure;
  }

  static MitosisException failure(int errno, String problem, String advice) {
    return MitosisException.of(Operation.OPEN, errno).problem(problem).advice(advice).build();
  }
}
