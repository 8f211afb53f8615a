// SPDX-License-Identifier: Apache-2.0

/** Prepares a JVM from outside: what {@code ./bench prepare-jvm PID} loads into it. */
package org.mitosis.agent;
