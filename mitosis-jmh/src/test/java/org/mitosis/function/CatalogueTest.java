// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the functions in Java return. */
class CatalogueTest {
  static Iterable<String> names() {
    return Catalogue.NAMES;
  }

  @ParameterizedTest
  @MethodSource("names")
  void theResultIsTheSameEachTimeAndInEachStart(String name) {
    JavaFunction function = Catalogue.of(name);
    Object first = function.call();
    assertTrue(JavaFunction.same(first, function.call()), name);
    assertTrue(JavaFunction.same(first, Catalogue.of(name).call()), name);
    assertFalse(JavaFunction.same(first, null), name);
  }

  @Test
  void anUnknownNameIsToldWithThoseThatThereAre() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Catalogue.of("goodbye"));
    assertTrue(e.getMessage().contains("helloworld, json"), e.getMessage());
    assertTrue(e.getMessage().endsWith("got 'goodbye'"), e.getMessage());
  }

  @Test
  void theWordIsFound() {
    assertEquals(64, Catalogue.of("helloworld").call());
  }

  @Test
  void theDocumentIsIndented() throws Exception {
    String text = (String) Catalogue.of("json").call();
    JsonNode records = new ObjectMapper().readTree(text);
    assertEquals(850, records.size());
    assertEquals(849, records.get(849).get("id").intValue());
    assertEquals(24, records.get(1).get("name").textValue().length());
    assertTrue(text.lines().count() > 850 * 4, "one field a line");
  }

  @Test
  void theArchiveHasTheText() throws Exception {
    byte[] archive = (byte[]) Catalogue.of("compression").call();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(archive))) {
      ZipEntry entry = in.getNextEntry();
      assertEquals("directory/text.txt", entry.getName());
      assertEquals(150_000, in.readAllBytes().length);
    }
    assertTrue(archive.length < 100_000, archive.length + " bytes");
  }

  @Test
  void theTextIsEncrypted() {
    byte[] encrypted = (byte[]) Catalogue.of("aes").call();
    assertEquals(1 << 16, encrypted.length);
    assertTrue(Arrays.stream(new int[] {0, 1, 2, 3, 4, 5, 6, 7}).anyMatch(i -> encrypted[i] != 0));
  }

  @Test
  void ranksAreShares() {
    double[] ranks = (double[]) Catalogue.of("pagerank").call();
    assertEquals(1, Arrays.stream(ranks).sum(), 1e-9);
    assertTrue(ranks[0] > ranks[ranks.length - 1], "the first node is linked to most");
  }

  @Test
  void thePreviewHasHalfTheSize() throws Exception {
    byte[] png = (byte[]) Catalogue.of("image").call();
    BufferedImage preview = ImageIO.read(new ByteArrayInputStream(png));
    assertEquals(160, preview.getWidth());
    assertEquals(120, preview.getHeight());
  }

  @Test
  void theServerGreets() {
    assertEquals("hello, world", Catalogue.of("web").call());
  }

  @Test
  void theBookedOrderIsInTheAnswerAndNotKept() {
    JavaFunction function = Catalogue.of("sql");
    for (int i = 0; i < 3; i++) {
      String[] best = ((String) function.call()).split("\n");
      assertEquals(10, best.length);
      assertTrue(best[0].matches("customer 7: \\d+ orders, 1\\d{6} cents"), best[0]);
    }
  }
}
