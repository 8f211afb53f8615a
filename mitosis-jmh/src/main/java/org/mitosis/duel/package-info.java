// SPDX-License-Identifier: Apache-2.0
/**
 * Two versions of this program in one session: which benchmarks both have, the order of their
 * forks, and how one fork of a version is run.
 *
 * <p>A machine changes within hours, and two runs one after the other differ by that, too. So the
 * forks of both versions take turns. It costs a start of the harness for each fork, about a second.
 */
package org.mitosis.duel;
