# SPDX-License-Identifier: Apache-2.0
"""What a function has called around each prepare, and in each child: it imports this module.

As mitosis_on_prepare() and mitosis_on_resume() of libmitosis.h do it in C. They run in the thread that prepares.
"""

import collections
import os
import traceback

SEED_BYTES = 32

# A fresh seed, another one for each hook; the handler id that the parent prepared under, and the generation of its
# snapshot; the child's number on the machine with that id (0: not known).
Child = collections.namedtuple("Child", "seed handler_id generation number machine_id")

_on_prepare = []
_on_resume = []


class Refusal(Exception):
    """A hook has raised something, its cause, so that nothing is prepared."""


def on_prepare(before=None, after=None):
    """Has every prepare call before(handler_id), those registered last first, while all threads run; and, in the
    parent, after(handler_id, failure) when it is done, in the order of registration; the failure is None, or what was
    raised. If one before raises something, nothing is prepared, and `after` is called for those that had been called.
    What is registered during a prepare is first called at the next one.
    """
    if not (callable(before) or callable(after)):
        raise TypeError("on_prepare needs a function to call before or after prepare")
    _on_prepare.append((before, after))


def on_resume(hook):
    """Has every child of later snapshots call hook(Child) before the function, in the order of registration.

    The generators of randomness.reseed() have new seeds then. If one raises something, the child fails.
    """
    if not callable(hook):
        raise TypeError("on_resume needs a function to call")
    _on_resume.append(hook)


class Prepare:
    """For the runner: one prepare, with the hooks that are registered when it begins."""

    def __init__(self, handler_id):
        """Calls those before it. Raises Refusal."""
        self._handler_id = handler_id
        self._hooks = tuple(_on_prepare)
        self._on_resume = tuple(_on_resume)
        for index in range(len(self._hooks) - 1, -1, -1):
            before = self._hooks[index][0]
            try:
                if before:
                    before(handler_id)
            except Exception as failure:
                self._call_after(self._hooks[index + 1 :], failure)
                raise Refusal(f"a hook refused to be prepared as handler id {handler_id}: {failure!r}") from failure

    def end(self, failure=None):
        """In the parent: calls those after it."""
        self._call_after(self._hooks, failure)

    def be_child(self, told):
        """In a child: calls what is for children. What a hook raises, it raises."""
        for hook in self._on_resume:
            hook(told._replace(seed=os.urandom(SEED_BYTES)))

    def _call_after(self, hooks, failure):
        for _, after in hooks:
            try:
                if after:
                    after(self._handler_id, failure)
            except Exception:
                traceback.print_exc()  # the snapshot is there, or not: others have to know, too
