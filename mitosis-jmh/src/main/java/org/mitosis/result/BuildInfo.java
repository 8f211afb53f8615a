// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * The release and commit of this jar.
 *
 * @param version the release
 * @param commit the git commit it was built from, or {@code unknown}
 * @param dirty {@code true} if the sources differed from that commit, {@code false} if not, or
 *     {@code unknown}
 */
public record BuildInfo(String version, String commit, String dirty) {
  private static final String UNKNOWN = "unknown";

  /** The build of this program. */
  public static BuildInfo current() {
    try (InputStream stream = BuildInfo.class.getResourceAsStream("build.properties")) {
      Properties properties = new Properties();
      if (stream != null) {
        properties.load(stream);
      }
      return of(properties);
    } catch (IOException e) {
      throw new UncheckedIOException("build.properties", e);
    }
  }

  static BuildInfo of(Properties properties) {
    return new BuildInfo(
        known(properties, "version"),
        known(properties, "git.commit"),
        known(properties, "git.dirty"));
  }

  /** An IDE may copy the file without filling in its {@code ${…}}. */
  private static String known(Properties properties, String key) {
    String value = properties.getProperty(key, UNKNOWN);
    return value.isBlank() || value.startsWith("${") ? UNKNOWN : value;
  }
}
