// SPDX-License-Identifier: Apache-2.0
package greeter;

import java.util.concurrent.atomic.AtomicLong;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** An ordinary web application, without a line for remote fork. */
@SpringBootApplication
@RestController
public class Greeter {
  /** What a request is answered with. */
  public record Greeting(long number, String text) {}

  private final AtomicLong number = new AtomicLong();

  public static void main(String[] arguments) {
    SpringApplication.run(Greeter.class, arguments);
  }

  @GetMapping("/greeting")
  Greeting greeting(@RequestParam(defaultValue = "World") String name) {
    return new Greeting(number.incrementAndGet(), "Hello, " + name + "!");
  }
}
