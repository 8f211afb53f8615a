// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ProviderNotFoundException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipException;

/**
 * The files of a run: those of its folder, or those of a .zip of that folder, which is read in
 * place.
 *
 * <p>Nothing is unpacked: names in a .zip cannot lead outside. A file of a .zip is read only if it
 * has at most {@value #LARGEST_PACKED_BYTES} bytes.
 */
final class RunFiles implements Closeable {
  /** Suffix of a packed run. */
  static final String ZIP = ".zip";

  private static final int LARGEST_PACKED_BYTES = 256 << 20;
  private static final byte[] ZIP_MAGIC = {'P', 'K'};

  private final Path path;
  private final Path root;
  private final FileSystem zip; // null for a folder

  private RunFiles(Path path, Path root, FileSystem zip) {
    this.path = path;
    this.root = root;
    this.zip = zip;
  }

  /** Whether a path is a .zip file by its name or its first bytes. */
  static boolean isPacked(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    if (path.toString().toLowerCase(Locale.ROOT).endsWith(ZIP)) {
      return true;
    }
    try (InputStream in = Files.newInputStream(path)) {
      return Arrays.equals(ZIP_MAGIC, in.readNBytes(ZIP_MAGIC.length));
    }
  }

  /**
   * Opens the folder or .zip of a run.
   *
   * @throws IOException with a message for the user if it is a file and not a readable .zip
   */
  static RunFiles open(Path path) throws IOException {
    if (!isPacked(path)) {
      return new RunFiles(path, path, null);
    }
    FileSystem zip = null;
    try {
      zip = FileSystems.newFileSystem(path, (ClassLoader) null);
      return new RunFiles(path, rootOf(zip), zip);
    } catch (IOException | RuntimeException e) {
      if (zip != null) {
        zip.close();
      }
      throw e instanceof ProviderNotFoundException
          ? damaged(path, "it is not a .zip file", e)
          : damaged(path, e.getMessage(), e);
    }
  }

  /** The only folder of an archive that holds no run at its top, else the top. */
  private static Path rootOf(FileSystem zip) throws IOException {
    Path top = zip.getPath("/");
    boolean isRun =
        Stream.of(
                ResultFolder.ENVIRONMENT,
                ResultFolder.JMH_JSON,
                ResultFolder.HISTOGRAMS,
                ResultFolder.CLUSTER)
            .anyMatch(name -> Files.exists(top.resolve(name)));
    try (Stream<Path> entries = Files.list(top)) {
      List<Path> all = entries.toList();
      return !isRun && all.size() == 1 && Files.isDirectory(all.get(0)) ? all.get(0) : top;
    }
  }

  /** The message on a .zip that cannot be read. */
  static IOException damaged(Path path, String why, Exception cause) {
    return new IOException(
        path + " cannot be read (" + why + "): name the folder of a run, or a .zip of one", cause);
  }

  /** The folder, or the .zip. */
  Path path() {
    return path;
  }

  /** The name of the run: the folder's, packed or not, or that of a .zip without a folder. */
  String name() {
    Path named = root.getFileName() != null ? root : path;
    Path name = named.toAbsolutePath().normalize().getFileName();
    if (name == null) {
      return path.toString();
    }
    return named == path && zip != null ? withoutZip(name.toString()) : name.toString();
  }

  /** A file name without the ending of a packed run. */
  static String withoutZip(String name) {
    return name.toLowerCase(Locale.ROOT).endsWith(ZIP)
        ? name.substring(0, name.length() - ZIP.length())
        : name;
  }

  /** A file or folder of the run, which may be missing. */
  Path resolve(String name) {
    return root.resolve(name);
  }

  /** The name of a file in messages: below the path that the user has given. */
  String nameOf(Path file) {
    return path.resolve(root.relativize(file).toString()).toString();
  }

  /**
   * The content of a file of a run.
   *
   * @throws ZipException if it is in a .zip, and too large or damaged
   */
  static byte[] bytes(Path file) throws IOException {
    if (file.getFileSystem() == FileSystems.getDefault()) {
      return Files.readAllBytes(file);
    }
    long size = Files.size(file);
    if (size > LARGEST_PACKED_BYTES) {
      throw new ZipException(
          file + " in it has " + size + " bytes, at most " + LARGEST_PACKED_BYTES + " can be read");
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes =
          in.readNBytes((int) size + 1); // one more detects an entry that is larger than declared
    }
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    if (bytes.length != size || !Files.getAttribute(file, "zip:crc").equals(checksum.getValue())) {
      throw new ZipException(file + " in it does not match its size or checksum");
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    if (zip != null) {
      zip.close();
    }
  }
}
