// SPDX-License-Identifier: Apache-2.0
package greeter;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.concurrent.atomic.AtomicLong;

/** An ordinary web application, without a line for remote fork. */
@Path("/greeting")
@ApplicationScoped
public class Greeter {
  private final AtomicLong number = new AtomicLong();

  @GET
  @Produces(MediaType.TEXT_PLAIN)
  public String greeting(@QueryParam("name") @DefaultValue("World") String name) {
    return "\"number\":" + number.incrementAndGet() + ",\"text\":\"Hello, " + name + "!\"";
  }
}
