// SPDX-License-Identifier: Apache-2.0
/**
 * What is said about a set of samples. Pure functions of numbers: nothing here knows of benchmarks,
 * files or units.
 */
package org.mitosis.stats;
