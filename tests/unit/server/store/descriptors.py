"""A process that cannot open files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest


@contextmanager
def no_free_descriptors() -> Iterator[None]:
    """Leave this process no descriptor while the block runs."""
    resource = pytest.importorskip("resource", reason="a limit of POSIX systems")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as undo:
        undo.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        with suppress(OSError):
            while True:
                undo.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield
