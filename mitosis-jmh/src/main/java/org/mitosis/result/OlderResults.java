// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Map;
import java.util.TreeMap;

/** What results of older releases lack, because there was one choice only. */
public final class OlderResults {
  private OlderResults() {}

  /** The parameters of a benchmark, with those that its release did not have. */
  public static Map<String, String> completed(Map<String, String> params) {
    Map<String, String> completed = new TreeMap<>(params);
    if (params.containsKey("transport")) {
      completed.putIfAbsent("protection", "handshake");
    }
    return completed;
  }
}
