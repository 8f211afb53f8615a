// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Random;

/**
 * Parses a JSON document of 150 kB by Jackson and writes it again, indented: a service that passes
 * messages on.
 */
final class Json implements JavaFunction {
  private static final int RECORDS = 850;
  private static final int NAME_LETTERS = 24;
  private static final int VALUES = 8;
  private static final String[] TAGS = {"new", "old", "paid", "sent", "lost", "found"};

  private final ObjectMapper mapper = new ObjectMapper();
  private final String document = document();

  @Override
  public Object call() {
    try {
      return mapper.readTree(document).toPrettyString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String document() {
    Random draw = new Random(1);
    StringBuilder text = new StringBuilder("[");
    for (int number = 0; number < RECORDS; number++) {
      text.append(number == 0 ? "" : ", ")
          .append("{\"id\": ")
          .append(number)
          .append(", \"name\": \"");
      for (int i = 0; i < NAME_LETTERS; i++) {
        text.append((char) ('a' + draw.nextInt(26)));
      }
      text.append("\", \"values\": [");
      for (int i = 0; i < VALUES; i++) {
        text.append(i == 0 ? "" : ", ").append((draw.nextInt(2_000_000) - 1_000_000) / 1000.0);
      }
      int tag = draw.nextInt(TAGS.length - 2);
      text.append("], \"tags\": [\"").append(TAGS[tag]).append("\", \"").append(TAGS[tag + 2]);
      text.append("\"]}");
    }
    return text.append("]").toString();
  }
}
