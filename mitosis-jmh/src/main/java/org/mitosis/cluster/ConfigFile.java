// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mitosis.setting.MissingPrerequisite;

/**
 * Assignments {@code KEY=VALUE}, one a line, as a shell and make read them: {@code #} starts a
 * comment, {@code $(KEY)} is another key's value.
 *
 * <p>A makefile of the MITOSIS artifact is accepted unchanged: a file with rules is a makefile, of
 * which only the keys of {@link ClusterConfig} are read. In any other file a line that is not an
 * assignment is an error.
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
   * @throws MissingPrerequisite if it cannot be read, or has a line that is not an assignment
   */
  static Map<String, Setting> read(Path file) {
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
   * @param source name of the text, for messages
   */
  static Map<String, Setting> parse(String text, String source) {
    SortedMap<Integer, String> lines = joinedLines(text);
    boolean makefile = lines.values().stream().anyMatch(line -> RULE.matcher(line).matches());
    Map<String, Setting> settings = new LinkedHashMap<>();
    lines.forEach(
        (number, line) -> {
          String content = COMMENT.matcher(line).replaceFirst("").strip();
          if (content.isEmpty() || (makefile && line.startsWith("\t"))) {
            return;
          }
          String place = source + " line " + number;
          Matcher assignment = ASSIGNMENT.matcher(content);
          if (assignment.matches()) {
            String key = assignment.group(1);
            if (!makefile || ClusterConfig.Key.exists(key)) {
              settings.put(key, new Setting(unquoted(key, assignment.group(2)), place));
            }
          } else if (!makefile) {
            throw new MissingPrerequisite(place + ": must be KEY=VALUE, got '" + content + "'");
          }
        });
    settings.replaceAll((key, setting) -> resolved(key, setting, settings));
    return settings;
  }

  /** The lines, by the number of their first part; a backslash at the end continues a line. */
  private static SortedMap<Integer, String> joinedLines(String text) {
    SortedMap<Integer, String> joined = new TreeMap<>();
    StringBuilder line = new StringBuilder();
    int first = 1;
    int number = 0;
    for (String part : text.lines().toList()) {
      number++;
      if (part.endsWith("\\")) {
        line.append(part, 0, part.length() - 1).append(' ');
        continue;
      }
      joined.put(first, line.append(part).toString());
      line.setLength(0);
      first = number + 1;
    }
    if (!line.isEmpty()) {
      joined.put(first, line.toString());
    }
    return joined;
  }

  /** Removes quotes around a value; those of STR_CHILD_HOSTS are part of it. */
  private static String unquoted(String key, String value) {
    boolean quoted =
        value.length() > 1
            && (value.charAt(0) == '"' || value.charAt(0) == '\'')
            && value.charAt(value.length() - 1) == value.charAt(0);
    return quoted && !key.equals(ClusterConfig.Key.STR_CHILD_HOSTS.name())
        ? value.substring(1, value.length() - 1)
        : value;
  }

  /** Replaces references, one level deep: the artifact's values refer to plain ones. */
  private static Setting resolved(String key, Setting setting, Map<String, Setting> settings) {
    String value =
        REFERENCE
            .matcher(setting.value())
            .replaceAll(
                reference -> {
                  Setting other = settings.get(reference.group(1));
                  if (other == null) {
                    throw setting.bad(
                        key, "uses $(" + reference.group(1) + "), which has no value");
                  }
                  return Matcher.quoteReplacement(other.value());
                });
    return new Setting(value, setting.place());
  }
}
