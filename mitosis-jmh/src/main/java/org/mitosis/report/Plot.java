// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import org.mitosis.report.chart.Chart;

/**
 * A chart of the report.
 *
 * @param section its section in the report
 * @param name of its files, without an ending
 * @param chart what it shows
 */
record Plot(String section, String name, Chart chart) {}
