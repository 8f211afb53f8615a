// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Serves one request: binds a server of the JDK to a free port, asks it over loopback, and closes
 * it. A child that binds its own port needs nothing of its parent's.
 */
final class Web implements JavaFunction {
  private static final byte[] GREETING = "hello, world".getBytes(StandardCharsets.US_ASCII);
  private static final String REQUEST =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  private static final int PATIENCE_MS = 60_000;

  @Override
  public Object call() {
    try {
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
      server.createContext(
          "/",
          exchange -> {
            exchange.sendResponseHeaders(200, GREETING.length);
            exchange.getResponseBody().write(GREETING);
            exchange.close();
          });
      server.start();
      try (Socket socket = new Socket(loopback, server.getAddress().getPort())) {
        socket.setSoTimeout(PATIENCE_MS);
        socket.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
        String answer =
            new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        // Without the head, which has a date.
        return answer.substring(answer.indexOf("\r\n\r\n") + 4);
      } finally {
        server.stop(0);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
