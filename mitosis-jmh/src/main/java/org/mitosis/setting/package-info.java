// SPDX-License-Identifier: Apache-2.0

/**
 * The settings of the harness: names of parameters that several packages use, and what is reported
 * if a value or the machine does not do. Depends on no other package.
 */
package org.mitosis.setting;
