// SPDX-License-Identifier: Apache-2.0
package greeter;

import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.runtime.Micronaut;
import java.util.concurrent.atomic.AtomicLong;

/** An ordinary web application, without a line for remote fork. */
@Controller("/greeting")
public class Greeter {
  private final AtomicLong number = new AtomicLong();

  public static void main(String[] arguments) {
    Micronaut.run(Greeter.class, arguments);
  }

  @Get(produces = MediaType.TEXT_PLAIN)
  String greeting(@QueryValue(defaultValue = "World") String name) {
    return "\"number\":" + number.incrementAndGet() + ",\"text\":\"Hello, " + name + "!\"";
  }
}
