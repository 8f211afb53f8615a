// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mitosis.setting.MissingPrerequisite;

/**
 * Assignments {@code KEY=VALUE}, one a line, as a shell and make read them: {@code #} starts a
 * comment, {@code $(KEY)} is another key's value.
 *
 * <p>A makefile of the MITOSIS artifact can be given as it is: it is told by its rules. Of such a
 * file only the keys that mean something here are read; in any other file a line that is none of
 * these is an error.
 */
final class ConfigFile {
  private static final Pattern ASSIGNMENT =
      Pattern.compile("(?:export\\s+)?([A-Za-z_][A-Za-z0-9_-]*)\\s*(?:[:?]{0,2}=)\\s*(.*)");
  private static final Pattern RULE = Pattern.compile("[A-Za-z0-9_.$(){}/-]+\\s*:(?!=).*");
  private static final Pattern REFERENCE = Pattern.compile("\\$[({]([A-Za-z_][A-Za-z0-9_-]*)[)}]");
  private static final Pattern COMMENT = Pattern.compile("(^|\\s)#.*");
  private static final int LONGEST_FILE = 1 << 20;

  private ConfigFile() {}

  /**
   * Reads a file.
   *
   * @throws MissingPrerequisite if it cannot be read, or has a line that is no assignment
   */
  static Map<String, String> read(Path file) {
    try {
      if (Files.size(file) > LONGEST_FILE) {
        throw new MissingPrerequisite(file + " is too large to be a config file");
      }
      return parse(Files.readString(file, StandardCharsets.UTF_8), file.toString());
    } catch (IOException e) {
      throw new MissingPrerequisite(
          "the config file "
              + file
              + " cannot be read ("
              + e.getClass().getSimpleName()
              + "); 'cluster template > "
              + file.getFileName()
              + "' writes one to fill in");
    }
  }

  /**
   * Reads a text.
   *
   * @param source its name, for messages
   */
  static Map<String, String> parse(String text, String source) {
    List<String> lines = text.replace("\\\r\n", " ").replace("\\\n", " ").lines().toList();
    boolean makefile = lines.stream().anyMatch(line -> RULE.matcher(line).matches());
    Map<String, String> values = new LinkedHashMap<>();
    int number = 0;
    for (String line : lines) {
      number++;
      String content = COMMENT.matcher(line).replaceFirst("").strip();
      if (content.isEmpty() || (makefile && line.startsWith("\t"))) {
        continue;
      }
      Matcher assignment = ASSIGNMENT.matcher(content);
      if (assignment.matches()) {
        if (!makefile || isKey(assignment.group(1))) {
          values.put(assignment.group(1), unquoted(assignment.group(1), assignment.group(2)));
        }
      } else if (!makefile) {
        throw new MissingPrerequisite(
            source + " line " + number + ": '" + content + "' is no KEY=VALUE");
      }
    }
    values.replaceAll((key, value) -> resolved(value, values, source));
    return values;
  }

  private static boolean isKey(String name) {
    return Arrays.stream(ClusterConfig.Key.values()).anyMatch(key -> key.name().equals(name));
  }

  /** Quotes around the whole value are the file's; those inside STR_CHILD_HOSTS are its own. */
  private static String unquoted(String key, String value) {
    boolean quoted =
        value.length() > 1
            && (value.charAt(0) == '"' || value.charAt(0) == '\'')
            && value.charAt(value.length() - 1) == value.charAt(0);
    return quoted && !key.equals(ClusterConfig.Key.STR_CHILD_HOSTS.name())
        ? value.substring(1, value.length() - 1)
        : value;
  }

  /** One step deep: the artifact's values refer to plain ones. */
  private static String resolved(String value, Map<String, String> values, String source) {
    return REFERENCE
        .matcher(value)
        .replaceAll(
            reference -> {
              String other = values.get(reference.group(1));
              if (other == null) {
                throw new MissingPrerequisite(
                    source + ": $(" + reference.group(1) + ") is used, but has no value");
              }
              return Matcher.quoteReplacement(other);
            });
  }
}
