// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Adds up what ./test ran: lists what failed and what was skipped with the reason, and closes with
 * "N passed, N failed, N skipped". Exit code 1 if a test failed or a source that must have tests
 * has none.
 *
 * <p>Arguments are pairs of a name and a source. A file holds lines "PASS name", "SKIP name:
 * reason", "FAIL name: reason" among others, the last followed by the test's output with four spaces
 * before each line, of which the list repeats the end; a folder is a checkout whose modules have reports of
 * surefire and failsafe. Started from its source, so that a machine with nothing but a JDK can run
 * it.
 */
class TestSummary {

  private static final Pattern LINE = Pattern.compile("(PASS|SKIP|FAIL) ([^:]+)(?:: *(.*))?");
  private static final Pattern REPORT =
      Pattern.compile(".*/target/(surefire|failsafe)-reports/TEST-[^/]*\\.xml");

  /** Characters of a reason that the list shows; the report has all of it. */
  private static final int LONGEST_REASON = 300;

  /** Lines of a failed test's output that the list repeats: a log may be cut to its end. */
  private static final int MOST_OUTPUT = 25;

  private static final int MOST_PLACES = 10;

  private static final String OUTPUT = "    ";

  /** What a failed check prints, which the end of an output need not have. */
  private static final Pattern PLACE = Pattern.compile("\\S+\\.(c|h|sh|py):\\d+:.*");

  /** The file of a run that is only mentioned when something went wrong or was left out. */
  private static final String MAY_BE_EMPTY = "build";

  private int passed;
  private final List<String> failed = new ArrayList<>();
  private int skipped;

  /** Tests that were skipped, by class and reason: a missing device leaves out many at once. */
  private final Map<Skip, List<String>> skips = new LinkedHashMap<>();

  private record Skip(String where, String reason) {}

  public static void main(String[] args) throws IOException {
    TestSummary summary = new TestSummary();
    for (int i = 0; i + 1 < args.length; i += 2) {
      summary.add(args[i], Path.of(args[i + 1]));
    }
    System.out.print(summary.text());
    System.exit(summary.failed.isEmpty() && summary.passed > 0 ? 0 : 1);
  }

  private void add(String source, Path path) throws IOException {
    int before = passed + failed.size() + skipped;
    if (Files.isDirectory(path)) {
      addCheckout(source, path);
    } else if (Files.exists(path)) {
      addLines(source, path);
    }
    if (passed + failed.size() + skipped == before && !source.equals(MAY_BE_EMPTY)) {
      failed.add(source + ": no test ran");
    }
  }

  private void addLines(String source, Path file) throws IOException {
    // Whatever a test prints besides may be no UTF-8.
    String text = new String(Files.readAllBytes(file), UTF_8);
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      Matcher matcher = LINE.matcher(lines.get(i));
      if (matcher.matches()) {
        String reason = matcher.group(3) == null ? "no reason given" : matcher.group(3);
        boolean fails = matcher.group(1).equals("FAIL");
        String output = fails ? output(lines.subList(i + 1, lines.size())) : "";
        count(matcher.group(1), source + ": ", matcher.group(2), reason + output);
      }
    }
  }

  /**
   * The end of the output that these lines begin with, each after a line break; of what comes before
   * it, the last lines that name a place in a source file.
   */
  private static String output(List<String> lines) {
    List<String> all = lines.stream().takeWhile(line -> line.startsWith(OUTPUT)).toList();
    int left = Math.max(0, all.size() - MOST_OUTPUT);
    StringBuilder text = new StringBuilder();
    if (left > 0) {
      text.append('\n').append(OUTPUT).append("(").append(left).append(" lines before)");
      List<String> places =
          all.subList(0, left).stream()
              .filter(line -> PLACE.matcher(line.strip()).matches())
              .toList();
      places.stream()
          .skip(Math.max(0, places.size() - MOST_PLACES))
          .forEach(line -> text.append('\n').append(shortened(line)));
    }
    all.stream().skip(left).forEach(line -> text.append('\n').append(shortened(line)));
    return text.toString();
  }

  private void addCheckout(String source, Path checkout) throws IOException {
    List<Path> reports;
    // checkout/module/target/surefire-reports/TEST-x.xml
    try (Stream<Path> files =
        Files.find(checkout, 4, (p, a) -> REPORT.matcher(p.toString()).matches())) {
      reports = files.sorted().toList();
    }
    for (Path report : reports) {
      try (InputStream in = Files.newInputStream(report)) {
        addReport(source, in);
      } catch (XMLStreamException e) {
        failed.add(source + ": " + report + " cannot be read: " + oneLine(e.getMessage()));
      }
    }
  }

  private void addReport(String source, InputStream in) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newInstance();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    XMLStreamReader xml = factory.createXMLStreamReader(in);
    String testClass = "";
    String test = "";
    String outcome = "PASS";
    String reason = "";
    while (xml.hasNext()) {
      int event = xml.next();
      if (event == XMLStreamConstants.START_ELEMENT) {
        switch (xml.getLocalName()) {
          case "testcase" -> {
            testClass = xml.getAttributeValue(null, "classname");
            test = xml.getAttributeValue(null, "name");
            outcome = "PASS";
          }
          case "skipped", "failure", "error" -> {
            outcome = xml.getLocalName().equals("skipped") ? "SKIP" : "FAIL";
            reason = reason(xml);
          }
          default -> {}
        }
      } else if (event == XMLStreamConstants.END_ELEMENT && xml.getLocalName().equals("testcase")) {
        count(outcome, source + ": " + testClass + ".", test, reason);
      }
    }
  }

  /** Leaves the reader at the end of the element, whose text is a stack trace. */
  private static String reason(XMLStreamReader xml) throws XMLStreamException {
    String message = xml.getAttributeValue(null, "message");
    String exception = xml.getAttributeValue(null, "type");
    String text = xml.getElementText();
    if (message == null) {
      message = text.replaceFirst("(?s)\\n\\s+at .*", "");
      if (exception != null && message.startsWith(exception + ":")) {
        message = message.substring(exception.length() + 1);
      }
    }
    return oneLine(message.strip().replaceFirst("^Assumption failed: ", ""));
  }

  private void count(String outcome, String where, String test, String reason) {
    switch (outcome) {
      case "PASS" -> passed++;
      case "SKIP" -> {
        skipped++;
        skips.computeIfAbsent(new Skip(where, reason), skip -> new ArrayList<>()).add(test);
      }
      default -> failed.add(where + test + ": " + reason);
    }
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    list(text, "Failed:", failed);
    List<String> lines = new ArrayList<>();
    skips.forEach(
        (skip, tests) -> {
          String where =
              tests.size() == 1
                  ? skip.where() + tests.get(0)
                  : skip.where().replaceFirst("\\W+$", "") + " (" + tests.size() + " tests)";
          lines.add(where + ": " + skip.reason());
        });
    list(text, "Skipped:", lines);
    return text.append(passed)
        .append(" passed, ")
        .append(failed.size())
        .append(" failed, ")
        .append(skipped)
        .append(" skipped\n")
        .toString();
  }

  private static void list(StringBuilder text, String title, List<String> lines) {
    if (!lines.isEmpty()) {
      text.append(title).append('\n');
      lines.forEach(line -> text.append(line.indent(2)));
    }
  }

  private static String oneLine(String message) {
    String line = message.strip().replaceAll("\\s+", " ");
    if (line.isEmpty()) {
      return "no reason given";
    }
    return shortened(line);
  }

  private static String shortened(String line) {
    return line.length() <= LONGEST_REASON ? line : line.substring(0, LONGEST_REASON) + "...";
  }
}
