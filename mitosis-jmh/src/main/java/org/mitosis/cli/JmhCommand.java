// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

/**
 * A command that passes options to JMH, unread: all from the first argument on that is no option of
 * its own.
 */
interface JmhCommand extends BenchCommand {}
