// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import org.mitosis.setting.MissingPrerequisite;

/**
 * The value of one key of a config file.
 *
 * @param value the text, without surrounding blanks and quotes
 * @param place file and line, or the command line, for messages
 */
record Setting(String value, String place) {
  /** An error that names place and key. */
  MissingPrerequisite bad(String key, String problem) {
    return new MissingPrerequisite(place + ": " + key + " " + problem);
  }
}
