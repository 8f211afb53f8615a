# SPDX-License-Identifier: Apache-2.0
"""What the child that this is has been told of itself; functions may import it."""

number = 0  # on its machine, from 1 on; 0: this is no child, or it is not known
machine_id = 0  # of the mitosisd on the machine that it runs on
