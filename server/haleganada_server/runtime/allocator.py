"""The C library's allocator: the memory of large pictures goes back to the system as soon as it is free.

glibc learns from the first large block that is freed to keep such blocks for later, up to 32 MB each and in each
thread, although a server that decodes one picture of 16 megapixels in an hour may never use them again.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # of mallopt(3)
_LARGE_BLOCK = 4 * 2**20  # bytes; networks and heads work on smaller ones


def return_large_blocks() -> None:
    """Give each block of 4 MiB or more memory of its own, which ends with it. Does nothing where there is no glibc."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
