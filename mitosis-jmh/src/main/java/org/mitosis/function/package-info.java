// SPDX-License-Identifier: Apache-2.0
/**
 * Functions in Java, and the two programs that call them: {@link org.mitosis.function.OneStart}, a
 * fresh start, and {@link org.mitosis.function.FunctionParent}, a warm JVM that prepares itself.
 *
 * <p>A fresh start loads nothing but this package and what the function itself needs: its classes
 * are copied to a jar of their own, so that the size of the harness is in no figure.
 */
package org.mitosis.function;
