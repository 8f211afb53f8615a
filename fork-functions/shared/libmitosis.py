# SPDX-License-Identifier: Apache-2.0
"""libmitosis as its header, libmitosis.h, declares it: what a parent needs of it."""

import ctypes
import errno
import os
import struct
import traceback

import hooks
import randomness

BACKENDS = ("auto", "kernel", "user")  # by their numbers
CHILD = struct.Struct("<32sQIIQII")  # struct mitosis_child
CHILD_ROOM = 256  # MITOSIS_CHILD_ROOM
FAILED_STATUS = 125


def reseed_or_end():
    """In a child: gives it random numbers of its own; if that fails it ends, with a message and the library's status."""
    try:
        randomness.reseed()
    except BaseException:
        traceback.print_exc()
        os._exit(FAILED_STATUS)


class Refused(OSError):
    """A call failed; errno, and a message on what to do."""


class Device:
    """A device of this process, which holds at most one snapshot."""

    def __init__(self, library, backend):
        """Loads the library (a path) and opens a device of a backend (a name). Raises Refused."""
        try:
            # A PyDLL keeps the interpreter's lock, which a child would have to take first.
            self._lib = ctypes.PyDLL(library)
        except OSError as e:
            raise Refused(errno.ENOENT, f"{library} cannot be loaded: {e}") from None
        self._lib.mitosis_error.restype = ctypes.c_char_p
        device = ctypes.c_void_p()
        self._check(self._lib.mitosis_open(BACKENDS.index(backend), ctypes.byref(device)))
        self._device = device
        self._told = ctypes.create_string_buffer(CHILD_ROOM)
        self._check(self._lib.mitosis_on_resume(self._lib.mitosis_copy_child, self._told))

    def backend(self):
        """The name of the backend that was opened."""
        return BACKENDS[self._lib.mitosis_backend(self._device)]

    def nil(self):
        """Enters the backend and returns."""
        self._check(self._lib.mitosis_nil(self._device))

    def prepare(self, handler_id, pinned, clock):
        """Takes a snapshot of this process.

        Returns in the parent and in each child, with the clock's values before and after. A child's
        random number generators have new seeds then (randomness.reseed), as after os.fork().
        """
        call = self._lib.mitosis_prepare_pinned if pinned else self._lib.mitosis_prepare
        arguments = self._device, ctypes.c_uint32(handler_id)
        before = clock()
        result = call(*arguments)
        after = clock()
        self._check(result)
        if self.is_of_parent():
            reseed_or_end()
        return before, after

    def is_of_parent(self):
        """Whether this process is a child, where the parent's devices are dead."""
        return self._lib.mitosis_nil(self._device) == -errno.EBADF

    def told(self):
        """What a child is told of itself, as a hooks.Child."""
        seed, generation, handler_id, _, number, machine_id, _ = CHILD.unpack_from(self._told)
        return hooks.Child(seed, handler_id, generation, number, machine_id)

    def unprepare(self, handler_id):
        """Drops a snapshot."""
        self._check(self._lib.mitosis_unprepare(self._device, ctypes.c_uint32(handler_id)))

    def close(self):
        """Closes the device; its snapshot goes, unless it is pinned."""
        self._lib.mitosis_close(self._device)

    def _check(self, result):
        if result < 0:
            raise Refused(-result, self._lib.mitosis_error().decode() or os.strerror(-result))
