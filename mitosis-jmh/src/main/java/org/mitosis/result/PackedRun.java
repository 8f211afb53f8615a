// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.mitosis.setting.FileFailure;

/**
 * A {@link ResultFolder} as one .zip file, which {@link Run#read} reads as it reads the folder.
 *
 * <p>The same files give the same bytes with the same JDK: entries are sorted and have one fixed
 * time. The report is left out, because it can be made again.
 */
public final class PackedRun {
  /** Not the first day of 1980, beside which Java writes a time that depends on the time zone. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

  private PackedRun() {}

  /** Where a folder is packed to by default: beside it, under its name. */
  public static Path fileFor(Path folder) {
    Path whole = folder.toAbsolutePath().normalize();
    Path given = folder.normalize();
    // The name of "." or ".." is not in what was given.
    boolean isNamed =
        whole.getFileName() != null && whole.getFileName().equals(given.getFileName());
    return (isNamed ? given : whole).resolveSibling(whole.getFileName() + RunFiles.ZIP);
  }

  /** Where the report of a packed run goes by default: beside it. */
  public static Path reportFor(Path zip) {
    return zip.resolveSibling(
        RunFiles.withoutZip(zip.getFileName().toString()) + "-" + ResultFolder.REPORT);
  }

  /** Whether a path is a .zip file, by its name or its first bytes. */
  public static boolean isOne(Path path) throws IOException {
    return RunFiles.isPacked(path);
  }

  /**
   * Packs a folder. Another program sees the whole file or none.
   *
   * @param folder a run's
   * @param zip must not exist
   * @throws IOException with a message for the user
   */
  public static void write(Path folder, Path zip) throws IOException {
    if (Files.exists(zip)) {
      throw exists(zip);
    }
    Path unfinished = zip.resolveSibling("." + zip.getFileName() + ".new");
    try {
      SortedMap<String, Path> files = filesOf(folder);
      try (ZipOutputStream out =
          new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(unfinished)))) {
        for (Map.Entry<String, Path> file : files.entrySet()) {
          ZipEntry entry = new ZipEntry(file.getKey());
          entry.setTimeLocal(TIME);
          out.putNextEntry(entry);
          Files.copy(file.getValue(), out);
          out.closeEntry();
        }
      }
      Files.move(unfinished, zip);
    } catch (FileAlreadyExistsException e) {
      throw exists(zip);
    } catch (IOException | UncheckedIOException e) {
      IOException cause =
          e instanceof UncheckedIOException wrapped ? wrapped.getCause() : (IOException) e;
      throw new IOException(
          folder
              + " cannot be packed into "
              + zip
              + ": "
              + FileFailure.reason(cause)
              + "; name another file with -o FILE",
          e);
    } finally {
      ResultFolder.deleteQuietly(unfinished);
    }
  }

  private static IOException exists(Path zip) {
    return new IOException(
        zip + " exists: results are never overwritten; name another file with -o FILE");
  }

  /** The files of a run by their names in the archive, below one folder of the run's name. */
  private static SortedMap<String, Path> filesOf(Path folder) throws IOException {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    Path report = folder.resolve(ResultFolder.REPORT);
    SortedMap<String, Path> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      all.filter(file -> !file.startsWith(report) && Files.isRegularFile(file))
          // Files that were being written have a dot before their names.
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .forEach(
              file ->
                  files.put(
                      name + "/" + folder.relativize(file).toString().replace('\\', '/'), file));
    }
    return files;
  }
}
