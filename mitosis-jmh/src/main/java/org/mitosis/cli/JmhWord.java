// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

/**
 * A word that passes options to JMH, unread: all from the first argument on that is no option of
 * its own.
 */
interface JmhWord extends Word {}
