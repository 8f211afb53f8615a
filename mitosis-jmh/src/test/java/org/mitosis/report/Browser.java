// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A headless Chromium with one page, driven by its DevTools protocol. It resolves no host name. */
final class Browser implements AutoCloseable {
  private static final long DEADLINE_S = 90;
  private static final long POLL_MS = 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final WebSocket socket;
  private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final List<String> exceptions = Collections.synchronizedList(new ArrayList<>());
  private int last;

  /** The program, if this machine has it. */
  static Optional<Path> program() {
    return Stream.of("chromium", "chromium-browser", "google-chrome")
        .map(name -> Path.of("/usr/bin", name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Starts it.
   *
   * @param directory for its profile and its log
   */
  Browser(Path program, Path directory) throws Exception {
    Path profile = directory.resolve("profile");
    process =
        new ProcessBuilder(
                program.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("browser.log").toFile())
            .start();
    try {
      HttpClient client = HttpClient.newHttpClient();
      socket =
          client
              .newWebSocketBuilder()
              .buildAsync(page(client, profile.resolve("DevToolsActivePort")), new Listener())
              .get(DEADLINE_S, TimeUnit.SECONDS);
      send("Runtime.enable", Map.of());
      send("Page.enable", Map.of());
    } catch (Exception e) {
      end();
      throw new IOException(Files.readString(directory.resolve("browser.log")), e);
    }
  }

  private URI page(HttpClient client, Path portFile) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
    while (System.nanoTime() < end && process.isAlive()) {
      if (Files.exists(portFile) && Files.size(portFile) > 0) {
        URI list = URI.create("http://127.0.0.1:" + Files.readAllLines(portFile).get(0) + "/json");
        String pages =
            client
                .send(HttpRequest.newBuilder(list).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        for (JsonNode page : JSON.readTree(pages)) {
          if (page.path("type").asText().equals("page")) {
            return URI.create(page.path("webSocketDebuggerUrl").asText());
          }
        }
      }
      Thread.sleep(POLL_MS);
    }
    throw new IOException("no page within " + DEADLINE_S + " s");
  }

  /** Sets the width of the page, and the reader's choice of colours. */
  void show(int width, int height, boolean dark) throws Exception {
    send(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    send(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
  }

  void open(Path file) throws Exception {
    send("Page.navigate", Map.of("url", file.toUri().toString()));
  }

  void moveMouse(double x, double y) throws Exception {
    send("Input.dispatchMouseEvent", Map.of("type", "mouseMoved", "x", x, "y", y));
  }

  /** The value of an expression of JavaScript. */
  JsonNode value(String expression) throws Exception {
    JsonNode answer =
        send("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
    if (answer.has("exceptionDetails")) {
      throw new IOException(answer.path("exceptionDetails").toString());
    }
    return answer.path("result").path("value");
  }

  /** Waits until an expression of JavaScript is true. */
  void await(String expression) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
    while (!value("Boolean(" + expression + ")").asBoolean()) {
      if (System.nanoTime() > end) {
        throw new IOException("not within " + DEADLINE_S + " s: " + expression + exceptions);
      }
      Thread.sleep(POLL_MS);
    }
  }

  /** What the page's scripts have thrown. */
  List<String> exceptions() {
    return List.copyOf(exceptions);
  }

  private JsonNode send(String method, Map<String, ?> params) throws Exception {
    int id = ++last;
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    waiting.put(id, answer);
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(params));
    socket.sendText(message.toString(), true).get(DEADLINE_S, TimeUnit.SECONDS);
    JsonNode result = answer.get(DEADLINE_S, TimeUnit.SECONDS);
    if (result.has("error")) {
      throw new IOException(method + ": " + result);
    }
    return result.path("result");
  }

  @Override
  public void close() {
    socket.abort();
    end();
  }

  private void end() {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle one : all) {
      try {
        one.onExit().get(DEADLINE_S, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        throw new IllegalStateException("process " + one.pid() + " does not end", e);
      }
    }
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean isLast) {
      text.append(data);
      if (isLast) {
        received(text.toString());
        text.setLength(0);
      }
      from.request(1);
      return null;
    }

    private void received(String message) {
      try {
        JsonNode node = JSON.readTree(message);
        if (node.has("id")) {
          waiting.remove(node.path("id").asInt()).complete(node);
        } else if (node.path("method").asText().equals("Runtime.exceptionThrown")) {
          exceptions.add(node.path("params").toString());
        }
      } catch (IOException e) {
        exceptions.add(e.toString());
      }
    }
  }
}
