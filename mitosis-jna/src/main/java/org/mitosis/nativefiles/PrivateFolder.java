// SPDX-License-Identifier: Apache-2.0
package org.mitosis.nativefiles;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * A folder (0700) whose files only this user can have put there, and which several JVMs fill at
 * once.
 *
 * <p>Programs are executed from it, so a user who could write to it, or put another folder in its
 * place, would act as this user. A file appears under its name by a rename, complete: a process
 * that runs or maps the file of before keeps that one.
 */
final class PrivateFolder {
  private static final FileAttribute<Set<PosixFilePermission>> MODE_0700 =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final int ROOT_UID = 0;
  private static final int OTHERS_MAY_WRITE = 0022;
  private static final int STICKY = 01000;
  private static final int OWNER_MAY_ALL = 0700;

  private final Path path;

  private PrivateFolder(Path path) {
    this.path = path;
  }

  /**
   * Makes the folder {@code base/name} unless it is there, and checks both.
   *
   * @throws IOException if they cannot be made, or are not safe; the message says which
   */
  static PrivateFolder in(Path base, String name) throws IOException {
    int uid = ownUid();
    if (base.getParent() != null) {
      Files.createDirectories(base.getParent());
    }
    makeUnlessThere(base);
    Owned shared = Owned.of(base);
    // Others may write to a sticky folder such as /tmp, but not rename what is ours in it.
    boolean othersMayReplace = (shared.mode & OTHERS_MAY_WRITE) != 0 && (shared.mode & STICKY) == 0;
    if (shared.uid != uid && shared.uid != ROOT_UID) {
      throw new UnsafeException(base + " belongs to another user (uid " + shared.uid + ")");
    }
    if (othersMayReplace) {
      throw new UnsafeException(base + " can be written by other users");
    }
    Path path = base.resolve(name);
    makePrivate(path);
    return new PrivateFolder(path);
  }

  private static void makePrivate(Path folder) throws IOException {
    makeUnlessThere(folder);
    Owned own = Owned.of(folder);
    if (own.uid != ownUid()) {
      throw new UnsafeException(folder + " belongs to another user (uid " + own.uid + ")");
    }
    if ((own.mode & OTHERS_MAY_WRITE) != 0) {
      throw new UnsafeException(folder + " can be written by other users");
    }
  }

  /** The absolute path of the folder. */
  Path path() {
    return path;
  }

  /**
   * Makes sure that an executable file of that name and content is there.
   *
   * @param name a path in this folder, with slashes; its folders are made, too
   */
  void put(String name, byte[] content) throws IOException {
    Path file = path.resolve(name);
    Path folder = path;
    for (Path part : path.relativize(file.getParent())) {
      folder = folder.resolve(part);
      if (!folder.equals(path)) {
        makePrivate(folder);
      }
    }
    if (holds(file, content)) {
      return;
    }
    Path fresh = Files.createTempFile(folder, "." + file.getFileName() + ".", ".new", MODE_0700);
    try {
      try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
        ByteBuffer left = ByteBuffer.wrap(content);
        while (left.hasRemaining()) {
          channel.write(left);
        }
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    try {
      Owned found = Owned.of(file);
      return found.regular
          && found.uid == ownUid()
          && (found.mode & OTHERS_MAY_WRITE) == 0
          && (found.mode & OWNER_MAY_ALL) == OWNER_MAY_ALL
          && Files.size(file) == content.length
          && Arrays.equals(Files.readAllBytes(file), content);
    } catch (NoSuchFileException | UnsafeException e) {
      return false;
    }
  }

  private static void makeUnlessThere(Path folder) throws IOException {
    try {
      Files.createDirectory(folder, MODE_0700);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
        throw new UnsafeException(folder + " is a link or a file, not a directory");
      }
    }
  }

  /** The JDK has no getuid(); the kernel shows it as the owner of this. */
  private static int ownUid() throws IOException {
    return Owned.of(Path.of("/proc/self/task")).uid;
  }

  /** A folder that somebody else could change. */
  static final class UnsafeException extends IOException {
    private static final long serialVersionUID = 1L;

    UnsafeException(String message) {
      super(message);
    }
  }

  private record Owned(int uid, int mode, boolean regular) {
    static Owned of(Path path) throws IOException {
      Map<String, Object> found =
          Files.readAttributes(path, "unix:uid,mode,isRegularFile", LinkOption.NOFOLLOW_LINKS);
      return new Owned(
          (Integer) found.get("uid"),
          (Integer) found.get("mode"),
          (Boolean) found.get("isRegularFile"));
    }
  }
}
