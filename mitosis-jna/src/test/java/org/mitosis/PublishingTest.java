// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** What a repository and a dependent's build read of our POMs. */
class PublishingTest {
  private static final Path ROOT = Path.of("..");
  private static final Path PARENT = ROOT.resolve("pom.xml");
  private static final Path BOM = ROOT.resolve("mitosis-jna/bom/pom.xml");
  private static final Path EXAMPLE = ROOT.resolve("examples/own-benchmark");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mitosis-jna/bom/pom.xml",
        "pom.xml",
        "native-module/pom.xml",
        "mitosis-jna/pom.xml",
        "mitosis-jmh/pom.xml"
      })
  void eachHasWhatARepositoryAsksFor(String name) throws Exception {
    Path pom = ROOT.resolve(name);
    // Of the artifact itself: what is inherited describes another one.
    for (String own : List.of("artifactId", "name", "description")) {
      assertFalse(text(read(pom), own).orElse("").isBlank(), name + " has no " + own);
    }
    for (String inherited :
        List.of(
            "groupId",
            "version",
            "url",
            "licenses/license/name",
            "licenses/license/url",
            "developers/developer/name",
            "scm/connection",
            "scm/developerConnection",
            "scm/url")) {
      assertFalse(inherited(pom, inherited).isBlank(), name + " has no " + inherited);
    }
  }

  /** Of the POM, from which the bill of materials has it. */
  @Test
  void whatIsPublishedIsUnderTheLicenceOfItsPom() throws Exception {
    for (Path pom : poms()) {
      assertEquals("Apache-2.0", inherited(pom, "licenses/license/name"), pom.toString());
    }
    Path natives = ROOT.resolve("native-module");
    var folders = new TreeSet<String>();
    Matcher included =
        Pattern.compile("<include>([a-z]+)/\\*\\*</include>")
            .matcher(Files.readString(natives.resolve("pom.xml")));
    while (included.find()) {
      folders.add(included.group(1));
    }
    assertTrue(folders.containsAll(List.of("lib", "proto")), folders::toString);
    for (String folder : folders) {
      try (var files = Files.walk(natives.resolve(folder))) {
        for (Path file : files.filter(one -> one.toString().matches(".*\\.[chS]")).toList()) {
          String header = Files.readString(file).lines().findFirst().orElse("");
          assertTrue(header.contains("Apache-2.0"), () -> file + " has " + header);
        }
      }
    }
  }

  @Test
  void whatIsManagedIsWhatIsPublished() throws Exception {
    var published = new TreeSet<String>();
    for (Path pom : poms()) {
      if (!text(read(pom), "packaging").orElse("jar").equals("pom")) {
        published.add("org.mitosis:" + text(read(pom), "artifactId").orElseThrow());
      }
    }
    var managed = new TreeSet<String>();
    assertNull(child(read(BOM), "dependencyManagement"), "the BOM must have that of the root");
    for (Element one :
        children(child(child(read(PARENT), "dependencyManagement"), "dependencies"))) {
      assertEquals(Optional.of("${project.version}"), text(one, "version"));
      managed.add(text(one, "groupId").orElseThrow() + ":" + text(one, "artifactId").orElseThrow());
    }
    assertEquals(published, managed);
  }

  @Test
  void theExampleHasOurVersions() throws Exception {
    var ours = new TreeMap<String, String>();
    children(child(read(PARENT), "properties"))
        .forEach(one -> ours.put(one.getTagName(), one.getTextContent()));
    ours.put("mitosis.version", text(read(PARENT), "version").orElseThrow());
    List<Element> its = children(child(read(EXAMPLE.resolve("pom.xml")), "properties"));
    assertTrue(its.size() > 5, "the example names no versions");
    for (Element one : its) {
      assertEquals(ours.get(one.getTagName()), one.getTextContent(), one.getTagName());
    }
    var versions = new TreeMap<String, String>();
    Matcher named =
        Pattern.compile("'[a-z.]+:([a-z-]+):([^']+)'")
            .matcher(Files.readString(EXAMPLE.resolve("build.gradle")));
    while (named.find()) {
      versions.put(named.group(1), named.group(2));
    }
    assertEquals(
        new TreeMap<>(
            Map.of(
                "mitosis-bom", ours.get("mitosis.version"),
                "jmh-generator-annprocess", ours.get("jmh.version"),
                "junit-jupiter", ours.get("junit.version"),
                "junit-platform-launcher", ours.get("junit.version"))),
        versions);
  }

  private static List<Path> poms() throws IOException {
    var poms = new ArrayList<>(List.of(PARENT, BOM));
    try (var modules =
        Files.newDirectoryStream(ROOT, path -> Files.exists(path.resolve("pom.xml")))) {
      modules.forEach(module -> poms.add(module.resolve("pom.xml")));
    }
    return poms;
  }

  /** What the POM or the nearest of its parents says. */
  private static String inherited(Path pom, String path) throws Exception {
    Element project = read(pom);
    Optional<String> own = text(project, path);
    if (own.isPresent() || child(project, "parent") == null) {
      return own.orElse("");
    }
    String parent = text(project, "parent/relativePath").orElse("../pom.xml");
    Path file = pom.toAbsolutePath().getParent().resolve(parent);
    return inherited(Files.isDirectory(file) ? file.resolve("pom.xml") : file, path);
  }

  private static Element read(Path pom) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(pom.toFile())
        .getDocumentElement();
  }

  private static Optional<String> text(Element from, String path) {
    Element at = from;
    for (String name : path.split("/")) {
      at = at == null ? null : child(at, name);
    }
    return Optional.ofNullable(at).map(Node::getTextContent);
  }

  private static Element child(Element of, String name) {
    return children(of).stream()
        .filter(one -> one.getTagName().equals(name))
        .findFirst()
        .orElse(null);
  }

  private static List<Element> children(Element of) {
    return IntStream.range(0, of.getChildNodes().getLength())
        .mapToObj(of.getChildNodes()::item)
        .filter(Element.class::isInstance)
        .map(Element.class::cast)
        .toList();
  }
}
