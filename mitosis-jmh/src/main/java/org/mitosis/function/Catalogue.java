// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.util.List;

/** The functions by name. None is loaded but the one asked for. */
public final class Catalogue {
  /** All names, the smallest function first. */
  public static final List<String> NAMES =
      List.of("helloworld", "json", "compression", "aes", "pagerank", "image", "web", "sql");

  private Catalogue() {}

  /**
   * Makes a function with its input.
   *
   * @throws IllegalArgumentException if there is none of this name; lists those that there are
   */
  public static JavaFunction of(String name) {
    return switch (name) {
      case "helloworld" -> new HelloWorld();
      case "json" -> new Json();
      case "compression" -> new Compression();
      case "aes" -> new Aes();
      case "pagerank" -> new PageRank();
      case "image" -> new Image();
      case "web" -> new Web();
      case "sql" -> new Sql();
      default ->
          throw new IllegalArgumentException(
              "a function in Java must be one of "
                  + String.join(", ", NAMES)
                  + ", got '"
                  + name
                  + "'");
    };
  }
}
