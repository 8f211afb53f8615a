// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.Random;
import org.h2.Driver;

/**
 * Books an order in an H2 database in memory, asks for the customers who have ordered most, and
 * rolls the order back: a service with a database inside.
 */
final class Sql implements JavaFunction {
  /** A database without a name belongs to its connection alone. */
  private static final String URL = "jdbc:h2:mem:";

  private static final int CUSTOMERS = 200;
  private static final int ORDERS = 2_000;
  private static final int DAYS = 365;

  private static final String BOOKING =
      "INSERT INTO orders (customer, day_of_year, cents) VALUES (?, ?, ?)";
  private static final String BEST =
      "SELECT c.name, COUNT(*), SUM(o.cents) AS total FROM orders o JOIN customers c"
          + " ON c.id = o.customer WHERE o.day_of_year BETWEEN ? AND ?"
          + " GROUP BY c.id, c.name ORDER BY total DESC, c.name LIMIT 10";

  private final PreparedStatement booking;
  private final PreparedStatement best;
  private final Connection connection;

  Sql() {
    try {
      connection = new Driver().connect(URL, new Properties());
      connection.setAutoCommit(false);
      fill();
      booking = connection.prepareStatement(BOOKING);
      best = connection.prepareStatement(BEST);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void fill() throws SQLException {
    Random draw = new Random(1);
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL)");
      statement.execute(
          "CREATE TABLE orders (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
              + " customer INT NOT NULL REFERENCES customers, day_of_year INT NOT NULL,"
              + " cents BIGINT NOT NULL)");
      statement.execute("CREATE INDEX orders_by_day ON orders (day_of_year)");
    }
    try (PreparedStatement customer =
        connection.prepareStatement("INSERT INTO customers VALUES (?, ?)")) {
      for (int id = 0; id < CUSTOMERS; id++) {
        customer.setInt(1, id);
        customer.setString(2, "customer " + id);
        customer.executeUpdate();
      }
    }
    try (PreparedStatement order = connection.prepareStatement(BOOKING)) {
      for (int i = 0; i < ORDERS; i++) {
        book(order, draw.nextInt(CUSTOMERS), draw.nextInt(DAYS), draw.nextInt(100_000));
      }
    }
    connection.commit();
  }

  private static void book(PreparedStatement order, int customer, int day, long cents)
      throws SQLException {
    order.setInt(1, customer);
    order.setInt(2, day);
    order.setLong(3, cents);
    order.executeUpdate();
  }

  @Override
  public Object call() {
    try {
      book(booking, 7, 200, 1_000_000);
      best.setInt(1, 100);
      best.setInt(2, 300);
      StringBuilder answer = new StringBuilder();
      try (ResultSet rows = best.executeQuery()) {
        while (rows.next()) {
          answer.append(rows.getString(1)).append(": ").append(rows.getInt(2)).append(" orders, ");
          answer.append(rows.getLong(3)).append(" cents\n");
        }
      }
      connection.rollback();
      return answer.toString();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
