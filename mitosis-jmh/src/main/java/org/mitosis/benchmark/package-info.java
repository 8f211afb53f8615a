// SPDX-License-Identifier: Apache-2.0
/**
 * The benchmarks, one class for each question; start reading at {@link
 * org.mitosis.benchmark.ForkPrepare}.
 *
 * <p>JMH's primary score is what JMH measured around the benchmark method. The figure a class is
 * about is measured where it happens, recorded with {@link org.mitosis.result.SelfTimed} and shown
 * as a secondary metric of the same run. Our command line adds the profiler that shows it; started
 * from an IDE or {@code org.openjdk.jmh.Main}, ask for it with {@code -prof
 * org.mitosis.result.SelfTimedProfiler}.
 */
package org.mitosis.benchmark;
