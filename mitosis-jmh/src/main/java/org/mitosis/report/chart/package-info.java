// SPDX-License-Identifier: Apache-2.0
/**
 * Charts, apart from what they show: a {@link org.mitosis.report.chart.Chart} is drawn as SVG, PDF
 * and PNG, and described in JSON for the page that draws it itself. They need no font of the
 * machine: text is laid out in Liberation Sans, which PDFBox brings.
 */
package org.mitosis.report.chart;
