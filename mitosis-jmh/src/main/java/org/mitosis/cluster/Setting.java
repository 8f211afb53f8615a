// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import org.mitosis.setting.MissingPrerequisite;

/**
 * The value of one key of a config file.
 *
 * @param value the text, without surrounding blanks and quotes
 * @param place where it is from, for messages: file and line, or the command line
 */
record Setting(String value, String place) {
  /** A message that names place and key. */
  MissingPrerequisite bad(String key, String problem) {
    return new MissingPrerequisite(place + ": " + key + " " + problem);
  }
}
