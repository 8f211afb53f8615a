// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The values of options that have a form or a range of their own. */
final class Values {
  private Values() {}

  /** A whole number in a range. */
  abstract static class Between implements ITypeConverter<Integer> {
    private final int min;
    private final int max;

    Between(int min, int max) {
      this.min = min;
      this.max = max;
    }

    @Override
    public Integer convert(String text) {
      try {
        int value = Integer.parseInt(text);
        if (value >= min && value <= max) {
          return value;
        }
      } catch (NumberFormatException e) {
        // told below
      }
      throw new TypeConversionException(
          "must be a number from " + min + " to " + max + ", got '" + text + "'");
    }
  }

  /** A random seed. */
  static final class Seed implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      if (!text.matches("-?[0-9]{1,18}")) {
        throw new TypeConversionException("must be an integer, got '" + text + "'");
      }
      return Long.parseLong(text);
    }
  }

  /** A percentage, as a share of 1. */
  static final class Percentage implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
      if (!number.matches("[0-9]{1,6}([.][0-9]{1,6})?")) {
        throw new TypeConversionException("must be a percentage such as 5%, got '" + text + "'");
      }
      return Double.parseDouble(number) / 100;
    }
  }
}
