// SPDX-License-Identifier: Apache-2.0

/**
 * The settings of the harness: names of parameters that several packages use, and the error for an
 * invalid value or an unsuitable machine. Depends on no other package.
 */
package org.mitosis.setting;
