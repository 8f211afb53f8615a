// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.LinkedHashMap;
import java.util.Map;

/** Config files of the tests. */
final class ConfigFiles {
  private ConfigFiles() {}

  /** A config of these values, which are all from one place. */
  static ClusterConfig config(Map<String, String> values, String place) {
    Map<String, Setting> settings = new LinkedHashMap<>();
    values.forEach((key, value) -> settings.put(key, new Setting(value, place)));
    return ClusterConfig.of(settings);
  }

  /** The values of a text, without their places. */
  static Map<String, String> values(String text, String source) {
    Map<String, String> values = new LinkedHashMap<>();
    ConfigFile.parse(text, source).forEach((key, setting) -> values.put(key, setting.value()));
    return values;
  }
}
