# SPDX-License-Identifier: Apache-2.0
"""Renders a table of 200 by 200 cells with an HTML template: a web page made on the server."""

from chameleon import PageTemplate

ROWS = COLUMNS = 200

TEMPLATE = """
<table>
  <tr tal:repeat="row rows">
    <td tal:repeat="cell row"><span class="cell-${cell}" tal:content="cell">?</span></td>
  </tr>
</table>
"""


def setup(variant):
    rows = [[row * COLUMNS + column for column in range(COLUMNS)] for row in range(ROWS)]
    return PageTemplate(TEMPLATE), rows


def handler(state):
    template, rows = state
    return template.render(rows=rows)
