// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Tests that take long and whose result does not depend on the JDK: without {@code --all}, {@code
 * ./test} runs them on the first JDK only.
 */
@Tag("one-jdk")
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface OneJdk {}
