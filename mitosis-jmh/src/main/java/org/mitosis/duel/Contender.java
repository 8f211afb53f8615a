// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * The benchmarks.jar of one version.
 *
 * @param source the file that was named, or that of the checkout that was named
 * @param sha256 of its bytes
 * @param version what {@code --version} says
 */
public record Contender(String source, String sha256, String version) {
  private static final String IN_CHECKOUT = "mitosis-jmh/target/benchmarks.jar";

  /** Folders of a module whose content is not in the jar. */
  private static final Set<String> NOT_IN_JAR = Set.of("target", "test", "tests");

  private static final String MAIN = "org.mitosis.cli.Main";

  /**
   * The jar that the user means.
   *
   * @param named a benchmarks.jar, or a checkout that holds a built one
   * @throws IOException with a message for the user if it is neither
   */
  public static Path find(Path named) throws IOException {
    if (Files.notExists(named)) {
      throw new IOException(
          named + " does not exist: name a benchmarks.jar, or a checkout that holds a built one");
    }
    if (!Files.isDirectory(named)) {
      return checked(named);
    }
    Path jar = named.resolve(IN_CHECKOUT);
    if (Files.notExists(jar)) {
      throw new IOException(
          named
              + " holds no built benchmarks.jar ("
              + IN_CHECKOUT
              + "): build it there with './bench -l', or name a jar");
    }
    return checked(jar);
  }

  private static Path checked(Path jar) throws IOException {
    String main = null;
    boolean hasList;
    try (JarFile file = new JarFile(jar.toFile(), false)) {
      Manifest manifest = file.getManifest();
      main = manifest == null ? null : manifest.getMainAttributes().getValue("Main-Class");
      hasList = file.getEntry("META-INF/BenchmarkList") != null;
    } catch (IOException e) {
      throw new IOException(
          jar + " is no benchmarks.jar: it cannot be read as a jar (" + e.getMessage() + ")", e);
    }
    if (!MAIN.equals(main) || !hasList) {
      throw new IOException(
          jar
              + " is no benchmarks.jar of this project: "
              + (MAIN.equals(main) ? "it lists no benchmarks" : "its main class is " + main)
              + "; name mitosis-jmh/target/benchmarks.jar of a checkout");
    }
    return jar.toAbsolutePath().normalize();
  }

  /**
   * Whether the jar lies in a checkout with newer sources: build output survives a change of the
   * branch, and would be measured as if it were of the new one.
   */
  public static boolean isStale(Path jar) throws IOException {
    Path checkout = jar;
    for (int i = 0; i < Path.of(IN_CHECKOUT).getNameCount() && checkout != null; i++) {
      checkout = checkout.getParent();
    }
    if (checkout == null || !jar.endsWith(IN_CHECKOUT) || Files.notExists(jar)) {
      return false;
    }
    FileTime built = Files.getLastModifiedTime(jar);
    try (Stream<Path> modules = Files.list(checkout)) {
      for (Path module : modules.toList()) {
        if (Files.exists(module.resolve("pom.xml")) && hasNewer(module, built)) {
          return true;
        }
      }
      return false;
    }
  }

  private static boolean hasNewer(Path module, FileTime built) throws IOException {
    boolean[] newer = {false};
    Files.walkFileTree(
        module,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return NOT_IN_JAR.contains(folder.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            newer[0] = attributes.lastModifiedTime().compareTo(built) > 0;
            return newer[0] ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
          }
        });
    return newer[0];
  }

  /** The SHA-256 of a file, in hexadecimal digits. */
  public static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        DigestInputStream digest =
            new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
      digest.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
