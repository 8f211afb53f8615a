// SPDX-License-Identifier: Apache-2.0
import org.mitosis.Availability;
import org.mitosis.Mitosis;

/** Which backends there are on this machine, and what to do about one that cannot be used. */
public final class WhatWorks {
  private WhatWorks() {}

  public static void main(String[] args) {
    for (Availability found : Mitosis.availabilities()) {
      System.out.println(found.backend() + ": " + (found.available() ? "can be used" : "cannot"));
      System.out.println("  " + found.cause());
      if (!found.remedy().isEmpty()) {
        System.out.println("  to do: " + found.remedy());
      }
    }
  }
}
